"""What is imported is looked through by no collection of garbage; what comes after is collected as ever."""

import gc
import importlib.util
import sys
import types
import weakref

import pytest
from bh_bridge.bridge import registry
from bh_bridge.process.quick_import import quick_import


class Circle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thaws():
    yield
    gc.unfreeze()


def is_collected(circle: weakref.ref[Circle]) -> bool:
    gc.collect()
    return circle() is None


def test_what_is_made_meanwhile_is_exempt_and_later_garbage_is_not() -> None:
    with quick_import():
        assert not gc.isenabled()
        exempt = weakref.ref(Circle())
    assert gc.isenabled()
    later = weakref.ref(Circle())
    assert not is_collected(exempt)
    assert is_collected(later)


def test_nothing_is_exempt_while_an_object_is_held() -> None:
    handle = registry.keep(Circle())
    with quick_import():
        held = weakref.ref(registry.find(handle))
    registry.release({"handle": handle})
    assert is_collected(held)


def test_an_import_that_fails_leaves_the_collector_at_work() -> None:
    with pytest.raises(ModuleNotFoundError), quick_import():
        importlib.import_module("no_such_module")
    assert gc.isenabled()


def test_what_no_model_needs_is_not_there_meanwhile_and_is_there_again_afterwards(monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "scipy", raising=False)
    with quick_import():
        assert importlib.util.find_spec("scipy") is None
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("scipy")
    assert importlib.util.find_spec("scipy") is not None


def test_what_is_loaded_already_stays_as_it_is(monkeypatch) -> None:
    loaded = types.ModuleType("scipy")
    monkeypatch.setitem(sys.modules, "scipy", loaded)
    with quick_import():
        assert sys.modules["scipy"] is loaded
    assert sys.modules["scipy"] is loaded
