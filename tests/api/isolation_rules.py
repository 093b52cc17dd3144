"""What somebody gets who asks each route, and says each message, about what is another's."""

from dataclasses import dataclass, field
from typing import Any

SECRETS = ("owner@example.org", "anglerfish", "Hidden depths", "Private pile", "My own template")
"""Words of the owner's that no answer to another may hold."""


@dataclass(frozen=True)
class Ask:
    """A request as somebody else sends it, and what they get: `{name}`s are the owner's ids."""

    status: int
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)


GONE = 404
NOT_FOUND = [Ask(GONE)]
PUBLIC_ROUTE: list[Ask] = []
"""For everybody, nobody too."""
OWN_END: list[Ask] = []
"""Ends something of the one who asks, and names nothing of another's."""
ADMIN = [Ask(403)]
QUESTION = {"content": "How deep was the deepest dive?"}
MESSAGES = {"messages": [{"type": "human", "content": "How deep was the deepest dive?"}]}
OF_THREAD = {"configurable": {"thread_id": "{conversation}"}}
OF_VIDEO = {"configurable": {"video_ids": ["{video}"]}}

RULES: dict[str, list[Ask]] = {
    "GET /api/videos": [
        Ask(200),
        Ask(200, query={"q": "anglerfish"}),
        Ask(GONE, query={"collection_id": "{collection}"}),
    ],
    "POST /api/videos": [Ask(GONE, {"url": "dQw4w9WgXcQ", "collection_id": "{collection}"})],
    "POST /api/videos/price": [Ask(200, {"url": "no video at all"})],
    "POST /api/videos/sample": [Ask(202)],
    "POST /api/videos/upload": [Ask(422)],
    "GET /api/videos/{video_id}": NOT_FOUND,
    "DELETE /api/videos/{video_id}": NOT_FOUND,
    "GET /api/videos/{video_id}/transcript": NOT_FOUND,
    "GET /api/videos/{video_id}/summary": NOT_FOUND,
    "POST /api/videos/{video_id}/summary": NOT_FOUND,
    "GET /api/collections": [Ask(200)],
    "POST /api/collections": [Ask(GONE, {"name": "Mine", "video_ids": ["{video}"]})],
    "GET /api/collections/{collection_id}": NOT_FOUND,
    "PATCH /api/collections/{collection_id}": [Ask(GONE, {"name": "Mine now"})],
    "DELETE /api/collections/{collection_id}": NOT_FOUND,
    "POST /api/collections/{collection_id}/videos": [Ask(GONE, {"video_ids": []})],
    "DELETE /api/collections/{collection_id}/videos/{video_id}": NOT_FOUND,
    "GET /api/jobs": [Ask(200), Ask(200, query={"batch_id": "{batch}"})],
    "GET /api/jobs/stream": [Ask(200)],
    "POST /api/jobs/{job_id}/retry": NOT_FOUND,
    "POST /api/jobs/{job_id}/pause": NOT_FOUND,
    "POST /api/jobs/{job_id}/resume": NOT_FOUND,
    "POST /api/jobs/{job_id}/cancel": NOT_FOUND,
    "POST /api/jobs/retry": [Ask(202, {"batch_id": "{batch}"})],
    "POST /api/jobs/pause": [Ask(202, {"batch_id": "{batch}"})],
    "POST /api/jobs/resume": [Ask(202, {"batch_id": "{batch}"})],
    "POST /api/jobs/cancel": [Ask(202, {"batch_id": "{batch}"})],
    "GET /api/search": [
        Ask(200, query={"q": "a lamp on its head"}),
        Ask(GONE, query={"q": "lamp", "video_id": "{video}"}),
        Ask(GONE, query={"q": "lamp", "collection_id": "{collection}"}),
    ],
    "GET /api/conversations": [Ask(200), Ask(200, query={"q": "deepest"})],
    "POST /api/conversations": [
        Ask(GONE, {"video_ids": ["{video}"]}),
        Ask(GONE, {"collection_id": "{collection}"}),
    ],
    "GET /api/conversations/{conversation_id}": NOT_FOUND,
    "PATCH /api/conversations/{conversation_id}": [Ask(GONE, {"title": "Mine now"})],
    "DELETE /api/conversations/{conversation_id}": NOT_FOUND,
    "GET /api/conversations/{conversation_id}/messages": NOT_FOUND,
    "GET /api/conversations/{conversation_id}/export": NOT_FOUND,
    "POST /api/conversations/{conversation_id}/ask": [Ask(GONE, QUESTION)],
    "POST /api/conversations/{conversation_id}/edit": [
        Ask(GONE, {"message_id": "{question}", "content": "Something else"})
    ],
    "POST /api/conversations/{conversation_id}/regenerate": [
        Ask(GONE, {"message_id": "{message}"})
    ],
    "POST /api/conversations/{conversation_id}/confirm": [Ask(GONE, {"accept": True})],
    "POST /api/conversations/{conversation_id}/stop": NOT_FOUND,
    "PUT /api/messages/{message_id}/feedback": [Ask(GONE, {"rating": "up"})],
    "DELETE /api/messages/{message_id}/feedback": NOT_FOUND,
    "POST /api/agent/invoke": [
        Ask(200, {"input": MESSAGES, "config": OF_THREAD}),
        Ask(GONE, {"input": MESSAGES, "config": OF_VIDEO}),
    ],
    "POST /api/agent/batch": [Ask(GONE, {"inputs": [MESSAGES], "config": OF_VIDEO})],
    "POST /api/agent/stream": [
        Ask(200, {"input": MESSAGES, "config": OF_THREAD}),
        Ask(200, {"input": MESSAGES, "config": OF_VIDEO}),
    ],
    "GET /api/agent/{which}_schema": [Ask(200)],
    "GET /api/models": [Ask(200)],
    "GET /api/templates": [Ask(200)],
    "POST /api/templates": [Ask(201, {"name": "Tips", "body": "Three tips."})],
    "GET /api/templates/{template_id}": NOT_FOUND,
    "PATCH /api/templates/{template_id}": [Ask(GONE, {"name": "Mine now"})],
    "DELETE /api/templates/{template_id}": NOT_FOUND,
    "GET /api/usage": [Ask(200)],
    "GET /api/metrics": ADMIN,
    "GET /api/health": PUBLIC_ROUTE,
    "GET /api/health/ready": PUBLIC_ROUTE,
    "GET /api/auth/options": PUBLIC_ROUTE,
    "POST /api/auth/register": PUBLIC_ROUTE,
    "POST /api/auth/login": PUBLIC_ROUTE,
    "POST /api/auth/logout": PUBLIC_ROUTE,
    "POST /api/auth/forgot": PUBLIC_ROUTE,
    "POST /api/auth/reset": PUBLIC_ROUTE,
    "GET /api/auth/me": [Ask(200)],
    "GET /api/auth/me/export": [Ask(200)],
    "DELETE /api/auth/me": OWN_END,
    "POST /api/auth/password": [
        Ask(403, {"password": "not it at all", "new_password": "another battery"})
    ],
    "GET /api/auth/sessions": [Ask(200)],
    "DELETE /api/auth/sessions": [Ask(204)],
    "DELETE /api/auth/sessions/{session_id}": NOT_FOUND,
    "GET /api/keys": [Ask(200)],
    "POST /api/keys": [Ask(201, {"name": "Mine"})],
    "DELETE /api/keys/{key_id}": NOT_FOUND,
    "GET /api/admin/users": ADMIN,
    "PATCH /api/admin/users/{user_id}": [Ask(403, {"role": "admin"})],
    "DELETE /api/admin/users/{user_id}": ADMIN,
    "POST /api/admin/users/{user_id}/reset": ADMIN,
    "GET /api/admin/invitations": ADMIN,
    "POST /api/admin/invitations": [Ask(403, {})],
    "DELETE /api/admin/invitations/{invitation_id}": ADMIN,
    "GET /api/admin/users/{user_id}/quotas": ADMIN,
    "PUT /api/admin/users/{user_id}/quotas": [Ask(403, {"videos": 1})],
    "GET /api/admin/audit": ADMIN,
    "GET /api/admin/overview": ADMIN,
    "GET /api/admin/costs": ADMIN,
    "GET /api/admin/queue": ADMIN,
    "POST /api/admin/queue/{job_id}/retry": ADMIN,
    "POST /api/admin/queue/{job_id}/cancel": ADMIN,
}

MESSAGE_RULES: dict[str, list[tuple[dict[str, Any], str]]] = {
    "ask": [
        ({**QUESTION, "video_ids": ["{video}"]}, "video_not_found"),
        ({**QUESTION, "collection_id": "{collection}"}, "collection_not_found"),
        ({**QUESTION, "template": "{template}"}, "template_not_found"),
        ({**QUESTION, "template": "My own template"}, "template_not_found"),
    ],
    "edit": [({"message_id": "{question}", "content": "Else"}, "message_not_found")],
    "regenerate": [({"message_id": "{message}"}, "message_not_found")],
    "resume": [({"run_id": "{run}"}, "run_not_found")],
    "confirm": [({"accept": True}, "nothing_to_confirm")],
    "stop": [],
}
"""What is said on a socket of one's own about what is another's, and the error that comes."""
