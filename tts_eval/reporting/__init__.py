"""The report over finished runs: tables, figures and one page, drawn from frames and frontiers."""
