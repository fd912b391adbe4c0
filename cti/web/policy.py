"""The one table of who may call what: every route is named here, and a route that is not does not start (S15). Pure."""

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType

from ticketing.roles import Action, Actor, may

__all__ = ["POLICY", "Access", "allowed", "check_complete"]


class Access(Enum):
    """Routes that ask for no post."""

    #: Anybody who reaches the address.
    PUBLIC = "public"
    #: Anybody who is signed in, for his own things.
    SIGNED_IN = "signed_in"


POLICY: Mapping[str, Access | Action] = MappingProxyType(
    {
        "desk": Access.PUBLIC,
        "openapi": Access.PUBLIC,
        "health": Access.PUBLIC,
        "live": Access.PUBLIC,
        "ready": Access.PUBLIC,
        "metrics": Access.PUBLIC,
        "session.show": Access.SIGNED_IN,
        "session.create": Access.PUBLIC,
        "session.delete": Access.SIGNED_IN,
        "session.language": Access.SIGNED_IN,
        "setup.show": Access.PUBLIC,
        "setup.check": Access.PUBLIC,
        "setup.create": Access.PUBLIC,
        "events": Access.SIGNED_IN,
        "agent.show": Access.SIGNED_IN,
        "agent.sign_in": Action.TAKE_CALLS,
        "agent.sign_out": Action.TAKE_CALLS,
        "agent.pause": Action.TAKE_CALLS,
        "agent.ready": Action.TAKE_CALLS,
        "phone.create": Action.TAKE_CALLS,
        "phone.socket": Action.TAKE_CALLS,
        "pops.painted": Action.TAKE_CALLS,
        "pops.latency": Action.VIEW_FLOOR,
        "orders.list": Action.VIEW_ORDERS,
        "orders.export": Action.EXPORT_ORDERS,
        "orders.trail": Action.VIEW_ORDERS,
        "orders.show": Action.VIEW_ORDERS,
        "personal.uncover": Action.UNMASK,
        "orders.create": Action.CREATE_ORDER,
        "orders.edit": Action.EDIT_DRAFT,
        "orders.submit": Action.SUBMIT_ORDER,
        "orders.no_order": Action.END_WITHOUT_ORDER,
        "orders.merge": Action.MERGE_ORDER,
        "orders.history": Action.VIEW_ORDERS,
        "orders.answer": Action.SUBMIT_ORDER,
        "orders.hand_to_senior": Action.HAND_OVER,
        "orders.propose": Action.PROPOSE_DISPATCH,
        "orders.send_back": Action.REVIEW,
        "orders.approve": Action.REVIEW,
        "orders.invalidate": Action.REVIEW,
        "orders.solve": Action.DISPATCH,
        "orders.dispatch": Action.DISPATCH,
        "orders.reply": Action.REPLY_CUSTOMER,
        "orders.rate": Action.SURVEY,
        "orders.redispatch": Action.SURVEY,
        "orders.file": Action.ARCHIVE,
        "orders.to_manager": Action.HAND_OVER,
        "orders.clocks": Action.VIEW_ORDERS,
        "calendars.list": Access.SIGNED_IN,
        "calendars.publish": Action.ADMINISTER_SYSTEM,
        "calendars.assign": Action.ADMINISTER_SYSTEM,
        "clock_limits.list": Access.SIGNED_IN,
        "clock_limits.change": Action.ADMINISTER_SYSTEM,
        "orders.pause": Action.PAUSE_FLOW,
        "orders.resume": Action.PAUSE_FLOW,
        "orders.cancel": Action.CANCEL_ORDER,
        "orders.force_end": Action.FORCE_END,
        "orders.to_archivist": Action.SUBMIT_ORDER,
        "orders.report": Action.CLASSIFY_SUGGESTION,
        "work_orders.to_head": Action.WORK_WORK_ORDER,
        "work_orders.take_back": Action.WORK_WORK_ORDER,
        "work_orders.return": Action.WORK_WORK_ORDER,
        "work_orders.transfer": Action.TRANSFER_WORK,
        "work_orders.supplement": Action.SUPPLEMENT,
        "work_orders.recall": Action.RECALL,
        "work_orders.acknowledge": Action.WORK_WORK_ORDER,
        "work_orders.list": Action.WORK_WORK_ORDER,
        "work_orders.show": Action.WORK_WORK_ORDER,
        "work_orders.accept": Action.WORK_WORK_ORDER,
        "work_orders.begin": Action.WORK_WORK_ORDER,
        "work_orders.finish": Action.WORK_WORK_ORDER,
        "items.list": Action.VIEW_ITEMS,
        "items.show": Action.VIEW_ITEMS,
        "items.claim": Action.WORK_ITEMS,
        "items.release": Action.WORK_ITEMS,
        "items.reassign": Action.REASSIGN_WORK,
        "items.to_order": Action.WORK_ITEMS,
        "items.discard": Action.WORK_ITEMS,
        "papers.list": Action.VIEW_PAPERS,
        "papers.show": Action.VIEW_PAPERS,
        "papers.create": Action.WORK_PAPERS,
        "papers.add_file": Action.WORK_PAPERS,
        "papers.file": Action.VIEW_PAPERS,
        "papers.claim": Action.WORK_PAPERS,
        "papers.release": Action.WORK_PAPERS,
        "papers.reassign": Action.REASSIGN_WORK,
        "papers.to_order": Action.WORK_PAPERS,
        "papers.discard": Action.WORK_PAPERS,
        "papers.hand_over": Action.WORK_PAPERS,
        "papers.keep_original": Action.FILE_ORIGINALS,
        "orders.files": Action.VIEW_ORDERS,
        "orders.file_of_paper": Action.VIEW_ORDERS,
        "callbacks.list": Action.VIEW_CALLBACKS,
        "callbacks.show": Action.VIEW_CALLBACKS,
        "callbacks.windows": Action.BOOK_CALLBACK,
        "callbacks.create": Action.BOOK_CALLBACK,
        "callbacks.cancel": Action.WORK_CALLBACKS,
        "callbacks.snooze": Action.WORK_CALLBACKS,
        "callbacks.reassign": Action.REASSIGN_WORK,
        "callbacks.call_now": Action.WORK_CALLBACKS,
        "figures": Action.VIEW_REPORTS,
        "surveys.queue": Action.VIEW_FOLLOW_UPS,
        "surveys.form": Action.VIEW_FOLLOW_UPS,
        "orders.attempt": Action.SURVEY,
        "work_orders.call_back": Action.WORK_WORK_ORDER,
        "customers.profile": Action.EDIT_CUSTOMERS,
        "follow_ups.list": Action.VIEW_FOLLOW_UPS,
        "follow_ups.claim": Action.SURVEY,
        "follow_ups.release": Action.SURVEY,
        "follow_ups.done": Action.SURVEY,
        "counters": Action.VIEW_FLOOR,
        "announcements.list": Access.SIGNED_IN,
        "announcements.choices": Action.ANNOUNCE,
        "announcements.create": Action.ANNOUNCE,
        "announcements.times": Action.ANNOUNCE,
        "announcements.off": Action.ANNOUNCE,
        "work.counts": Access.SIGNED_IN,
        "calls.list": Action.VIEW_OWN_CALLS,
        "calls.show": Action.VIEW_OWN_CALLS,
        "recordings.show": Action.PLAY_RECORDING,
        "recordings.peaks": Action.PLAY_RECORDING,
        "recordings.link": Action.PLAY_RECORDING,
        "media.play": Action.PLAY_RECORDING,
        "customers.list": Action.VIEW_CUSTOMERS,
        "customers.show": Action.VIEW_CUSTOMERS,
        "staff.list": Action.ADMINISTER_STAFF,
        "staff.create": Action.ADMINISTER_STAFF,
        "staff.change": Action.ADMINISTER_STAFF,
        "staff.posts": Action.ADMINISTER_STAFF,
        "staff.lock": Action.ADMINISTER_STAFF,
        "staff.unlock": Action.ADMINISTER_STAFF,
        "staff.reset": Action.ADMINISTER_STAFF,
        "staff.qualify": Action.ADMINISTER_STAFF,
        "staff.skills": Action.ADMINISTER_STAFF,
        "audit.list": Access.SIGNED_IN,
        "audit.state": Action.READ_AUDIT,
        "taxonomies": Access.SIGNED_IN,
        "standards": Access.SIGNED_IN,
        "queues": Access.SIGNED_IN,
    }
)


def allowed(actor: Actor, needs: Access | Action) -> bool:
    """Whether a signed-in person passes."""
    return isinstance(needs, Access) or may(actor.posts, needs)


def check_complete(names: Iterable[str]) -> None:
    """Raises LookupError when a route has no policy, or a policy no route: the service does not start."""
    routes = list(names)
    wrong = set(routes) ^ set(POLICY) | {name for name in routes if routes.count(name) > 1}
    if wrong:
        raise LookupError(f"routes and policy differ: {', '.join(sorted(wrong))}")
