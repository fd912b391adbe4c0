"""django-helpdesk asked for its lists, for `order_peer`: runs under the Python of `.venv-peers`, knows nothing of us.

Reads what to do as JSON from standard input (folder, tickets, texts, what to ask), makes a SQLite file of its own by
its own migrations, and asks through Django's test client, signed in as somebody who may see everything: no socket, no
second process. Writes as JSON what each way of asking took, milliseconds that passed and of the processor, and how many
tickets the first answer had.
"""

import json
import logging
import random
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection

BATCH = 5_000
urlpatterns: list[Any] = []


def configure(folder: Path) -> None:
    """The least a Django project with it needs."""
    contrib = ("admin", "auth", "contenttypes", "sessions", "messages", "sites", "humanize", "staticfiles")
    middleware = ("sessions.middleware.SessionMiddleware", "auth.middleware.AuthenticationMiddleware")
    processors = ("auth.context_processors.auth", "messages.context_processors.messages")
    settings.configure(
        SECRET_KEY="of a benchmark",
        ALLOWED_HOSTS=["testserver"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "helpdesk.db"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[*(f"django.contrib.{name}" for name in contrib), "rest_framework", "helpdesk"],
        MIDDLEWARE=[
            *(f"django.contrib.{name}" for name in middleware),
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        ROOT_URLCONF=__name__,
        HELPDESK_TEAMS_MODE_ENABLED=False,
        SITE_ID=1,
        STATIC_URL="/static/",
        USE_TZ=True,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": [f"django.contrib.{name}" for name in processors]},
            }
        ],
    )
    django.setup()
    from django.urls import include, path

    urlpatterns.append(path("helpdesk/", include("helpdesk.urls")))


def fill(asked: dict[str, Any]) -> None:
    """Tickets over the same two years, with the same texts, as many of them open."""
    from helpdesk.models import Queue, Ticket

    queues = [Queue.objects.create(title=name, slug=f"q{at}") for at, name in enumerate(asked["queues"])]
    Ticket._meta.get_field("created").auto_now_add = False  # they come from those two years, not from now
    pick, first = random.Random(1860), datetime.fromisoformat(asked["first"])
    count, texts = asked["tickets"], asked["texts"]
    for begun in range(0, count, BATCH):
        rows = []
        for at in range(begun, min(begun + BATCH, count)):
            created = first + timedelta(seconds=asked["seconds"] * at / count)
            is_open = pick.random() < (0.5 if at > count * 0.99 else 0.002)
            text = asked["rare"] if at == count // 2 else texts[at % len(texts)]
            rows.append(
                Ticket(
                    title=text[:30],
                    queue=queues[int(pick.random() * len(queues))],
                    created=created,
                    modified=created,
                    submitter_email=f"{asked['numbers'][at % len(asked['numbers'])]}@phone.example",
                    status=Ticket.OPEN_STATUS if is_open else Ticket.CLOSED_STATUS,
                    description=text,
                    due_date=created + timedelta(days=5) if is_open else None,
                    secret_key=f"k{at}",
                )
            )
        Ticket.objects.bulk_create(rows)


def ask(asked: dict[str, Any]) -> dict[str, Any]:
    """Each list so often; the first answer is not counted."""
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.urls import reverse
    from helpdesk.query import query_to_base64

    user = get_user_model().objects.create_superuser("2001", "2001@phone.example", "of a benchmark")
    client = Client()
    client.force_login(user)
    found = {}
    for name, wanted in asked["lists"].items():
        if "jump" in wanted:
            path, more = reverse("helpdesk:list"), {"search_type": "header", "q": wanted["jump"]}
        else:
            query = {"filtering": wanted.get("filtering", {}), "search_string": wanted.get("search", "")}
            query |= {"filtering_null": {}, "sorting": "created", "sortreverse": True}
            path = reverse("helpdesk:datatables_ticket_list", args=[query_to_base64(query)])
            more = {"start": wanted.get("start", 0), "length": asked["length"]}
        passed, worked, rows = [], [], 0
        ends = time.monotonic() + asked["seconds_each"]
        for each in range(asked["rounds"] + 1):
            if each > 3 and time.monotonic() > ends:
                break
            began, used = time.perf_counter(), time.process_time()
            answer = client.get(path, more)
            if each:
                passed.append((time.perf_counter() - began) * 1000)
                worked.append((time.process_time() - used) * 1000)
            elif "jump" in wanted:
                assert answer.status_code == 302, answer.status_code
                rows = 1
            else:
                assert answer.status_code == 200, answer.content
                rows = len(answer.json()["data"])
        found[name] = {"passed": passed, "worked": worked, "rows": rows}
    return found


def main() -> int:
    """Reads, makes, asks, tells."""
    logging.disable(logging.WARNING)
    asked = json.load(sys.stdin)
    configure(Path(asked["folder"]))
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
    fill(asked)
    json.dump(ask(asked), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
