"""Questions that tell whether a child of a town is ready."""

import asyncio
from datetime import UTC

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from local.town.child import Probe, Started


def answers_http(url: str) -> Probe:
    """Ready when a GET is answered with a status of success."""

    async def probe(_: Started) -> bool:
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2) as client:  # noqa: S501 - plain http here
            try:
                return (await client.get(url)).is_success
            except httpx.HTTPError:
                return False

    return probe


def accepts_connections(url: str) -> Probe:
    """Ready when somebody listens at the host and port of an address."""
    place = httpx.URL(url)

    async def probe(_: Started) -> bool:
        try:
            writer = (await asyncio.open_connection(place.host, place.port))[1]
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    return probe


def polls_task_queue(address: str, namespace: str, queue: str) -> Probe:
    """Ready when a worker has asked the queue for work since this life of the child began.

    The server also lists workers that died up to five minutes ago; the time of their last poll tells them apart.
    """
    request = DescribeTaskQueueRequest(
        namespace=namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )

    async def probe(started: Started) -> bool:
        try:
            client = await Client.connect(address, namespace=namespace)
            described = await client.workflow_service.describe_task_queue(request)
        except (RuntimeError, RPCError):  # the SDK raises a bare RuntimeError where nothing answers
            return False
        return any(poller.last_access_time.ToDatetime(UTC) >= started.at for poller in described.pollers)

    return probe
