"""The C code of engine `portable` (native/): chosen for this machine, checked, and called on the tensors of torch."""

from bh_bridge.portable.choice import Build, builds, library
from bh_bridge.portable.interface import AdamwSettings, Library, Shape, Steps, Update

__all__ = ["AdamwSettings", "Build", "Library", "Shape", "Steps", "Update", "builds", "library"]
