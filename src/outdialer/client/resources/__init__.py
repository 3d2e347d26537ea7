"""Every resource of the API.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from outdialer.client.resources.accesskeys import AccesskeysApi, AsyncAccesskeysApi
from outdialer.client.resources.activeflows import ActiveflowsApi, AsyncActiveflowsApi
from outdialer.client.resources.agents import AgentsApi, AsyncAgentsApi
from outdialer.client.resources.auth import AsyncAuthApi, AuthApi
from outdialer.client.resources.calls import AsyncCallsApi, CallsApi
from outdialer.client.resources.campaigncalls import AsyncCampaigncallsApi, CampaigncallsApi
from outdialer.client.resources.campaigns import AsyncCampaignsApi, CampaignsApi
from outdialer.client.resources.customer import AsyncCustomerApi, CustomerApi
from outdialer.client.resources.customers import AsyncCustomersApi, CustomersApi
from outdialer.client.resources.extensions import AsyncExtensionsApi, ExtensionsApi
from outdialer.client.resources.flows import AsyncFlowsApi, FlowsApi
from outdialer.client.resources.groupcalls import AsyncGroupcallsApi, GroupcallsApi
from outdialer.client.resources.health import AsyncHealthApi, HealthApi
from outdialer.client.resources.numbers import AsyncNumbersApi, NumbersApi
from outdialer.client.resources.outbound_config import AsyncOutboundConfigApi, OutboundConfigApi
from outdialer.client.resources.outbound_configs import AsyncOutboundConfigsApi, OutboundConfigsApi
from outdialer.client.resources.outdials import AsyncOutdialsApi, OutdialsApi
from outdialer.client.resources.outplans import AsyncOutplansApi, OutplansApi
from outdialer.client.resources.providercalls import AsyncProvidercallsApi, ProvidercallsApi
from outdialer.client.resources.providers import AsyncProvidersApi, ProvidersApi
from outdialer.client.resources.queuecalls import AsyncQueuecallsApi, QueuecallsApi
from outdialer.client.resources.queues import AsyncQueuesApi, QueuesApi
from outdialer.client.resources.recordings import AsyncRecordingsApi, RecordingsApi
from outdialer.client.resources.routes import AsyncRoutesApi, RoutesApi
from outdialer.client.resources.tags import AsyncTagsApi, TagsApi
from outdialer.client.resources.targets import AsyncTargetsApi, TargetsApi
from outdialer.client.resources.trunks import AsyncTrunksApi, TrunksApi
from outdialer.client.resources.webhooks import AsyncWebhooksApi, WebhooksApi
from outdialer.client.transport import Api, AsyncApi


class Resources:
    """Every resource of the API, for a client that blocks."""

    def __init__(self, api: Api) -> None:
        self.outplans = OutplansApi(api)
        self.outdials = OutdialsApi(api)
        self.targets = TargetsApi(api)
        self.campaigns = CampaignsApi(api)
        self.campaigncalls = CampaigncallsApi(api)
        self.calls = CallsApi(api)
        self.groupcalls = GroupcallsApi(api)
        self.recordings = RecordingsApi(api)
        self.queues = QueuesApi(api)
        self.queuecalls = QueuecallsApi(api)
        self.agents = AgentsApi(api)
        self.tags = TagsApi(api)
        self.flows = FlowsApi(api)
        self.activeflows = ActiveflowsApi(api)
        self.extensions = ExtensionsApi(api)
        self.trunks = TrunksApi(api)
        self.providers = ProvidersApi(api)
        self.routes = RoutesApi(api)
        self.providercalls = ProvidercallsApi(api)
        self.numbers = NumbersApi(api)
        self.outbound_config = OutboundConfigApi(api)
        self.outbound_configs = OutboundConfigsApi(api)
        self.auth = AuthApi(api)
        self.accesskeys = AccesskeysApi(api)
        self.customer = CustomerApi(api)
        self.customers = CustomersApi(api)
        self.webhooks = WebhooksApi(api)
        self.health = HealthApi(api)


class AsyncResources:
    """Every resource of the API, for a client that awaits."""

    def __init__(self, api: AsyncApi) -> None:
        self.outplans = AsyncOutplansApi(api)
        self.outdials = AsyncOutdialsApi(api)
        self.targets = AsyncTargetsApi(api)
        self.campaigns = AsyncCampaignsApi(api)
        self.campaigncalls = AsyncCampaigncallsApi(api)
        self.calls = AsyncCallsApi(api)
        self.groupcalls = AsyncGroupcallsApi(api)
        self.recordings = AsyncRecordingsApi(api)
        self.queues = AsyncQueuesApi(api)
        self.queuecalls = AsyncQueuecallsApi(api)
        self.agents = AsyncAgentsApi(api)
        self.tags = AsyncTagsApi(api)
        self.flows = AsyncFlowsApi(api)
        self.activeflows = AsyncActiveflowsApi(api)
        self.extensions = AsyncExtensionsApi(api)
        self.trunks = AsyncTrunksApi(api)
        self.providers = AsyncProvidersApi(api)
        self.routes = AsyncRoutesApi(api)
        self.providercalls = AsyncProvidercallsApi(api)
        self.numbers = AsyncNumbersApi(api)
        self.outbound_config = AsyncOutboundConfigApi(api)
        self.outbound_configs = AsyncOutboundConfigsApi(api)
        self.auth = AsyncAuthApi(api)
        self.accesskeys = AsyncAccesskeysApi(api)
        self.customer = AsyncCustomerApi(api)
        self.customers = AsyncCustomersApi(api)
        self.webhooks = AsyncWebhooksApi(api)
        self.health = AsyncHealthApi(api)
