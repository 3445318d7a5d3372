"""Fills an empty pretix: run by its management shell, see test/pretix.sh.

Prints one line of JSON: where pretix is, its tokens and the ids of what was
made. Orders are made by the tests through the API.
"""
import datetime
import json
import os

from django.utils.timezone import now
from pretix.base.models import Device, Event, Organizer, Team

organizer = Organizer.objects.create(name="Castle and Museum", slug="castle")
start = now().replace(microsecond=0) + datetime.timedelta(hours=1)


def event(slug, **more):
    made = Event.objects.create(
        organizer=organizer, name=slug, slug=slug, date_from=start, live=True, currency="EUR",
        plugins="pretix.plugins.banktransfer", **more)
    made.settings.timezone = "Europe/Berlin"
    return made


def item(of, name, **more):
    made = of.items.create(name=name, default_price=10, admission=True, **more)
    quota = of.quotas.create(name=name, size=None)
    quota.items.add(made)
    return made


def sell(of, made, subevent):
    quota = of.quotas.create(name="all", size=None, subevent=subevent)
    quota.items.add(made)


museum = event("museum")
entry, audio, parking = item(museum, "Entry"), item(museum, "Audio guide"), item(museum, "Parking")
family = item(museum, "Family")
small, large = family.variations.create(value="small", default_price=10), family.variations.create(value="large", default_price=20)
for quota in museum.quotas.all():
    quota.variations.add(*[v for v in (small, large) if family in quota.items.all()])
addons = museum.categories.create(name="Add-ons", is_addon=True)
audio.category = addons
audio.save()
entry.addons.create(addon_category=addons, max_count=3, multi_allowed=True)

gate = museum.checkin_lists.create(name="Gate", all_products=True)
guide = museum.checkin_lists.create(
    name="Audio guide", all_products=False, addon_match=True, allow_multiple_entries=True, consider_tickets_used=False)
guide.limit_products.add(audio, family)
once = museum.checkin_lists.create(name="Once", all_products=True, consider_tickets_used=False)
ruled = museum.checkin_lists.create(
    name="Never", all_products=True, consider_tickets_used=False, rules={"<": [{"var": "now_isoweekday"}, 0]})

series = event("series", has_subevents=True)
slot_entry = item(series, "Slot")
slot = series.subevents.create(
    name="Slot", active=True, date_from=start, date_to=start + datetime.timedelta(hours=2),
    date_admission=start - datetime.timedelta(minutes=15))
sell(series, slot_entry, slot)
series_list = series.checkin_lists.create(name="Series", all_products=True)

signed = event("signed")
signed.settings.ticket_secret_generator = "pretix_sig1"
signed_entry, signed_other = item(signed, "Entry"), item(signed, "Other")
signed_list = signed.checkin_lists.create(name="Signed", all_products=True)

team = Team.objects.create(
    organizer=organizer, name="Everything", all_events=True, all_event_permissions=True, all_organizer_permissions=True)
scanners = Team.objects.create(
    organizer=organizer, name="Check-in only", all_events=True, limit_event_permissions={"event.orders:checkin": True})
device = Device.objects.create(
    organizer=organizer, name="handstamp", all_events=True, initialized=now(), api_token="d" * 64,
    security_profile="pretixscan_online_noorders", hardware_brand="none", hardware_model="none",
    software_brand="handstamp", software_version="1")

print(json.dumps({
    "url": os.environ["PRETIX_PRETIX_URL"],
    "organizer": organizer.slug,
    "admin": team.tokens.create(name="admin").token,
    "scanner": scanners.tokens.create(name="scanner").token,
    "device": device.api_token,
    "items": {"entry": entry.pk, "audio": audio.pk, "parking": parking.pk, "family": family.pk,
              "slot": slot_entry.pk, "signed": signed_entry.pk, "other": signed_other.pk},
    "variations": {"small": small.pk, "large": large.pk},
    "lists": {"gate": gate.pk, "guide": guide.pk, "once": once.pk, "ruled": ruled.pk,
              "series": series_list.pk, "signed": signed_list.pk},
    "slot": slot.pk,
    "slot_from": slot.date_from.isoformat(),
    "slot_to": slot.date_to.isoformat(),
    "slot_admission": slot.date_admission.isoformat(),
}))
