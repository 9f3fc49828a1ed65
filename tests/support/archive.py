"""The ingest path wired over the in-memory ports, with faults that a test can order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from chalicelib.adapters.memory.index import MemoryIndex
from chalicelib.adapters.memory.queue import MemoryMessageQueue
from chalicelib.adapters.memory.stores import MemoryObjectStore, MemoryRecordStore
from chalicelib.errors import ServiceFaultError
from chalicelib.services.convert_instance import ConvertInstance
from chalicelib.services.make_representation import MakeRepresentation
from chalicelib.services.publish_study import PublishStudy

ROOT = "http://archive/dicomweb"


class Faulty:
    """Stands before a port and fails the call that a test ordered, before or after it took effect."""

    def __init__(self, port: Any, plan: FaultPlan) -> None:
        self._port = port
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kwargs: Any) -> Any:
            self._plan.before(name)
            result = attribute(*args, **kwargs)
            self._plan.after(name)
            return result

        return call


class FaultyIndex(Faulty):
    """Its turns fail as ordered, too."""

    @contextmanager
    def turn(self, study_instance_uid: str) -> Iterator[Any]:
        self._plan.before("turn")
        with self._port.turn(study_instance_uid) as turn:
            self._plan.after("turn")
            yield Faulty(turn, self._plan)


class FaultPlan:
    """Fails the n-th call over all ports, then none."""

    def __init__(self) -> None:
        self.calls = 0
        self.fail_at: int | None = None
        self.takes_effect = False

    def before(self, name: str) -> None:
        self.calls += 1
        if self.calls == self.fail_at and not self.takes_effect:
            raise ServiceFaultError(f"{name} failed as ordered")

    def after(self, name: str) -> None:
        if self.calls == self.fail_at and self.takes_effect:
            raise ServiceFaultError(f"the answer of {name} was lost as ordered")


class Archive:
    """Convert, publish and represent over memory."""

    def __init__(self) -> None:
        self.plan = FaultPlan()
        self.objects = MemoryObjectStore()
        self.records = MemoryRecordStore()
        self.index = MemoryIndex()
        self.queue = MemoryMessageQueue()
        self.executor = ThreadPoolExecutor(4)
        objects, records = Faulty(self.objects, self.plan), Faulty(self.records, self.plan)
        self.convert = ConvertInstance(
            objects=objects,
            records=records,
            executor=self.executor,
            static_bucket="static",
            dicomweb_root=ROOT,
            max_inflated_bytes=1 << 24,
        ).convert
        self.publish = PublishStudy(
            index=FaultyIndex(self.index, self.plan), records=records, objects=objects, static_bucket="static"
        ).publish
        self.representations = MakeRepresentation(
            objects=self.objects,
            records=self.records,
            static_bucket="static",
            dicomweb_root=ROOT,
            max_inflated_bytes=1 << 24,
        )

    def store(self, instance_bytes: bytes, key: str = "any/key") -> str | None:
        """Land, convert and publish one instance."""
        study = self.convert(self.objects.land(key, instance_bytes))
        if study is not None:
            self.publish(study)
        return study


@contextmanager
def running_archive() -> Iterator[Archive]:
    """An archive whose threads end with the test."""
    archive = Archive()
    try:
        yield archive
    finally:
        archive.executor.shutdown()
