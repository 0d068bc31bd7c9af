"""Where groups of cells run: this machine, a Ray cluster, Slurm."""
