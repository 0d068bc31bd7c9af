"""The options of each group, as `--help` lists them.

Hydra's own list also has the families that models build on, which are no models.
"""

from __future__ import annotations

from collections.abc import Iterator

from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from omegaconf import OmegaConf

HIDDEN = ("hydra", "model/family")


def option_groups() -> str:
    """Return a line a group, of all that Hydra finds: this checkout's, plugins' and those of --config-dir."""
    return "".join(f"{line}\n" for line in sorted(_lines()))


def _lines(parent: str = "") -> Iterator[str]:
    loader = GlobalHydra.instance().config_loader()
    for name in loader.list_groups(parent):
        group = f"{parent}/{name}".lstrip("/")
        if group not in HIDDEN:
            if found := sorted(loader.get_group_options(group, ObjectType.CONFIG)):
                yield f"{group}: {', '.join(found)}"
            yield from _lines(group)


OmegaConf.register_new_resolver("option_groups", option_groups, use_cache=True, replace=True)
