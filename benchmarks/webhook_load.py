"""What the ingest benchmark sends and how: signed SendGrid batches, an HTTP client that costs little, and a no-op service as floor."""

import asyncio
import base64
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.measuring import Ground
from flywheel_dagster.database import statement

_KINDS = ("processed", "delivered", "open", "open", "click")
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_KEY = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


@dataclass(frozen=True)
class Measured:
    """Seconds for all requests, and of each one, sorted."""

    seconds: float
    latencies: Sequence[float]

    def quantile(self, share: float) -> float:
        """The latency in seconds below which this share of the requests stays."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


def make_bodies(outcomes: Sequence[UUID], *, requests: int, events: int, seed: int) -> list[bytes]:
    """Batches as SendGrid sends them: so many events each, every event new, about these outcomes."""
    chance = random.Random(seed)
    bodies = []
    for _ in range(requests):
        batch = []
        for _ in range(events):
            outcome, kind = chance.choice(outcomes), chance.choice(_KINDS)
            batch.append(
                {
                    "email": f"lead{chance.randrange(10**6)}@example.com",
                    "timestamp": 1_767_600_000 + chance.randrange(10**7),
                    "smtp-id": f"<{outcome.hex}@mail.example.com>",
                    "event": kind,
                    "category": ["spring"],
                    "sg_event_id": uuid4().hex,
                    "sg_message_id": f"{outcome.hex[:22]}.filter0307p1las1-16648-5F5E0F",
                    "useragent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
                    "ip": "198.51.100.7",
                    "outcome_id": str(outcome),
                    **({"url": f"https://example.com/{chance.randrange(10**6)}"} if kind == "click" else {}),
                }
            )
        bodies.append(b"[" + b",\r\n".join(json.dumps(event).encode() for event in batch) + b"]\r\n")
    return bodies


def make_requests(bodies: Sequence[bytes]) -> list[bytes]:
    """The bytes of signed HTTP requests."""
    stamp = str(int(time.time()))
    requests = []
    for body in bodies:
        signature = base64.b64encode(KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        head = (
            f"POST /webhooks/sendgrid HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-Twilio-Email-Event-Webhook-Signature: {signature}\r\nX-Twilio-Email-Event-Webhook-Timestamp: {stamp}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


async def _post_all(port: int, requests: Sequence[bytes], connections: int) -> Measured:
    waiting, latencies = list(reversed(requests)), []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while waiting:
            request = waiting.pop()
            begun = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            answer = await reader.readexactly(length)
            latencies.append(time.perf_counter() - begun)
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise AssertionError(answer)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return Measured(time.perf_counter() - begun, sorted(latencies))


def post_all(port: int, requests: Sequence[bytes], connections: int) -> Measured:
    """Send them all over so many connections, each waiting for its answer."""
    return asyncio.run(_post_all(port, requests, connections))


async def _record_all(url: str, batches: Sequence[str], connections: int) -> Measured:
    waiting, latencies = list(reversed(batches)), []
    opened = [await psycopg.AsyncConnection.connect(url, autocommit=True) for _ in range(connections)]

    async def one(connection: psycopg.AsyncConnection) -> None:  # type: ignore[type-arg]
        while waiting:
            batch = waiting.pop()
            begun = time.perf_counter()
            await (await connection.execute(statement("record_events"), {"events": batch})).fetchone()
            latencies.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*map(one, opened))
    taken = time.perf_counter() - begun
    for connection in opened:
        await connection.close()
    return Measured(taken, sorted(latencies))


def record_all(url: str, batches: Sequence[str], connections: int) -> Measured:
    """The same statements straight to the database, over as many connections."""
    return asyncio.run(_record_all(url, batches, connections))


@contextmanager
def service(ground: Ground, *, group: int | None, no_op: bool = False) -> Iterator[int]:
    """The ingester (or a service that only reads and answers) as a process of its own; gives its port."""
    environment = dict(os.environ) | {
        "DATABASE_URL": ground.addresses.service,
        "SENDGRID_WEBHOOK_PUBLIC_KEY": PUBLIC_KEY,
        "FLYWHEEL_WEBHOOK_RATE": "1000000",
    }
    arguments = [
        sys.executable,
        "-m",
        "benchmarks.webhook_service",
        *(["--no-op"] if no_op else []),
        *(["--group", str(group)] if group else []),
    ]
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
