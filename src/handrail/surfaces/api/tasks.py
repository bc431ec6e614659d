"""Tasks: an agent asks for one with its key, and ends it."""

from __future__ import annotations

from typing import Final

from handrail.core.principal import Role
from handrail.core.task import Task
from handrail.engine.access.tasks import revoke_unit
from handrail.errors import NotFound
from handrail.surfaces.api.answers import NewTaskView, TaskView
from handrail.surfaces.api.incoming import Access, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.api.requests import EmptyRequest, TaskRequest
from handrail.surfaces.api.views import task_view
from handrail.surfaces.auth import check_role

__all__ = ["OPERATIONS"]


async def issue_task(call: Incoming) -> NewTaskView:
    """Issue a task; its token is in this answer and nowhere else."""
    body: TaskRequest = call.body
    issued = await call.gateway.issue_task(call.by_agent(), lane=body.lane, ticket=body.ticket)
    task = issued.task
    return NewTaskView(
        id=task.id,
        token=issued.token,
        lane=task.lane,
        ticket=task.ticket,
        expires_at=task.expires_at,
    )


async def get_task(call: Incoming) -> TaskView:
    """One task, for its agent or itself."""
    return task_view(_own_task(call))


async def revoke_task(call: Incoming) -> TaskView:
    """End a task's token at once. What it has proposed goes on."""
    task = _own_task(call)
    if call.person is not None:
        check_role(call.person, Role.REVIEWER, Role.CHECKER, Role.ADMIN)
    by = call.by_agent().id if call.person is None else call.person.id
    if task.revoked_at is None:
        task = await call.gateway.ctx.store.submit(revoke_unit(task.desk, task.id, by=by))
    return task_view(task)


def _own_task(call: Incoming) -> Task:
    id = call.path_id("id", "task_not_found")
    task = call.gateway.ctx.store.read(lambda tx: tx.tasks.get(call.desk, id))
    if (
        task is None
        or (call.agent is not None and task.agent != call.agent.id)
        or (call.task is not None and task.id != call.task.id)
    ):
        raise NotFound("task_not_found", f"there is no task `{id}` on this desk")
    return task


OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/v1/tasks",
        summary="Issue a task to the calling agent",
        handle=issue_task,
        access=Access.AGENT,
        body=TaskRequest,
        answer=NewTaskView,
        status=201,
        problems=(
            "subject_unknown",
            "connector_unavailable",
            "invariant_broken",
            "halted",
            "lane_not_allowed",
            "too_many_tasks",
        ),
    ),
    Operation(
        method="GET",
        path="/v1/tasks/{id}",
        summary="Look at a task",
        handle=get_task,
        access=Access.AGENT | Access.TASK,
        answer=TaskView,
        problems=("task_not_found",),
    ),
    Operation(
        method="DELETE",
        path="/v1/tasks/{id}",
        summary="End a task's token",
        handle=revoke_task,
        access=Access.AGENT | Access.PERSON,
        body=EmptyRequest,
        answer=TaskView,
        problems=("task_not_found", "role_missing"),
    ),
)
