"""Tells Hydra where the stranger's configuration lies; `hydra_plugins` itself has no `__init__.py`."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class StrangerSearchPath(SearchPathPlugin):
    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        search_path.append(provider="stranger", path="pkg://stranger.conf")
