"""The REST application: every resource, put together."""

from typing import Any

import outdialer
from outdialer.api.accesskeys import accesskeys
from outdialer.api.account import account
from outdialer.api.activeflows import activeflows
from outdialer.api.agents import agents
from outdialer.api.call_verbs import call_verbs
from outdialer.api.calls import calls
from outdialer.api.campaigncalls import campaigncalls
from outdialer.api.campaigns import campaigns
from outdialer.api.customer import own_customer
from outdialer.api.customers import customers
from outdialer.api.docs import docs_resource
from outdialer.api.events.stream import events
from outdialer.api.extensions import extensions
from outdialer.api.flows import flows
from outdialer.api.groupcalls import groupcalls
from outdialer.api.health import health
from outdialer.api.login import login
from outdialer.api.metrics import RequestMetrics, metrics_resource
from outdialer.api.numbers import numbers
from outdialer.api.openapi import openapi_document
from outdialer.api.operations import Resource
from outdialer.api.outbound_config import outbound_config
from outdialer.api.outbound_configs import outbound_configs
from outdialer.api.outdials import outdials
from outdialer.api.outplans import outplans
from outdialer.api.providercalls import providercalls
from outdialer.api.providers import providers
from outdialer.api.queuecalls import queuecalls
from outdialer.api.queues import queues
from outdialer.api.recordings import recordings
from outdialer.api.routes import routes
from outdialer.api.services import ApiServices
from outdialer.api.serving import Server
from outdialer.api.tags import tags
from outdialer.api.targets import targets
from outdialer.api.trunks import trunks
from outdialer.api.webhooks.resource import webhooks


def create_app(services: ApiServices) -> Server:
    """The ASGI application that serves the REST contract over ``services``."""
    own_metrics = RequestMetrics()
    resources = all_resources(own_metrics)
    return Server(services, own_metrics, [operation for resource in resources for operation in resource.operations])


def all_resources(own_metrics: RequestMetrics) -> list[Resource]:
    """Every resource of the contract that is served."""
    resources: list[Resource] = []
    document: dict[str, Any] = {}
    resources += [outplans, outdials, targets, campaigns, campaigncalls, calls, call_verbs, groupcalls, recordings]
    resources += [queues, queuecalls, agents, tags, flows, activeflows]
    resources += [extensions, trunks, providers, routes, providercalls, numbers, outbound_config, outbound_configs]
    resources += [
        login,
        account,
        accesskeys,
        own_customer,
        customers,
        webhooks,
        events,
        health,
        metrics_resource(own_metrics),
    ]
    resources.append(docs_resource(lambda: document))
    document |= openapi_document(resources, outdialer.__version__)
    return resources
