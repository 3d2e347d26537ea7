"""Who may use which operation: one row for each, written by hand beside the table in ``api/permits.py``.

An operation that is missing here fails the build: add its name to the row of those who may use it.
"""

SUPER_ADMIN, OWNER, MANAGER, OPERATOR, VIEWER, AGENT = "super admin", "owner", "manager", "operator", "viewer", "agent"
NO_ROLE = "no role"
PERMISSION = {SUPER_ADMIN: 1, OWNER: 32, MANAGER: 64, OPERATOR: 256, VIEWER: 512, AGENT: 16, NO_ROLE: 0}


def _names(text: str) -> list[str]:
    return text.split()


OPEN = _names("""
    log_in boot sign_up verify_email forget_password show_password_reset reset_password ping liveness readiness
    metrics openapi_json docs swagger redoc docs_file
""")
"""Used without any credential."""

SUPER = _names("""
    create_provider list_providers set_up_provider get_provider update_provider delete_provider create_route
    list_routes get_route update_route delete_route create_providercall list_providercalls get_providercall
    delete_providercall renew_numbers create_outbound_config list_outbound_configs get_outbound_config_by_id
    update_outbound_config_by_id delete_outbound_config create_customer list_customers get_customer_by_id
    update_customer_by_id delete_customer recover_customer
""")
"""Of super admins."""

OWNERS = _names("""
    get_outbound_config update_outbound_config unregister stay create_accesskey list_accesskeys get_accesskey
    update_accesskey rotate_accesskey delete_accesskey update_customer update_customer_metadata
    update_customer_billing_account_id create_webhook update_webhook delete_webhook rotate_webhook_secret
    enable_webhook
""")
"""Of owners."""

MANAGERS = _names("""
    create_outplan update_outplan update_outplan_dial_info delete_outplan create_outdial update_outdial
    update_outdial_campaign_id update_outdial_data delete_outdial create_target create_targets_in_bulk
    delete_target create_campaign update_campaign delete_campaign update_campaign_service_level
    update_campaign_actions update_campaign_resource_info update_campaign_next_campaign_id delete_campaigncall
    create_calls delete_call hold_call unhold_call start_call_music stop_call_music silence_call unsilence_call
    mute_call unmute_call talk_to_call start_call_recording stop_call_recording create_groupcall
    delete_groupcall delete_recording create_queue update_queue update_queue_tag_ids update_queue_routing_method
    delete_queue regenerate_queue_direct_hash delete_queuecall create_agent update_agent_addresses
    update_agent_tag_ids update_agent_permission update_agent_password delete_agent regenerate_agent_direct_hash
    create_tag update_tag delete_tag create_flow update_flow delete_flow regenerate_flow_direct_hash
    create_activeflow delete_activeflow create_extension list_extensions get_extension update_extension
    delete_extension regenerate_extension_direct_hash create_trunk list_trunks get_trunk update_trunk
    delete_trunk create_number update_number update_number_flow_ids update_number_metadata delete_number
    list_webhooks get_webhook list_webhook_deliveries
""")
"""Of owners and managers."""

OPERATORS = _names("""
    update_campaign_status hang_up_call stream_call_media hang_up_groupcall list_recordings get_recording
    get_recording_file kick_queuecall kick_queuecall_of_call stop_activeflow
""")
"""Of owners, managers and operators."""

READERS = _names("""
    list_outplans get_outplan list_outdials get_outdial list_targets get_target list_campaigns get_campaign
    list_campaign_campaigncalls get_campaign_stats list_campaigncalls get_campaigncall list_calls get_call
    list_groupcalls get_groupcall list_queues get_queue list_queuecalls get_queuecall list_agents list_tags
    get_tag list_flows get_flow list_activeflows get_activeflow list_numbers get_number get_customer
""")
"""Of owners, managers, operators and viewers (who see numbers masked)."""

ANYBODY = _names("""
    get_agent update_agent update_agent_status get_me follow_events
""")
"""Of everybody with a role; of objects of their own alone for agents."""

ROWS: list[tuple[list[str], set[str]]] = [
    (SUPER, {SUPER_ADMIN}),
    (OWNERS, {SUPER_ADMIN, OWNER}),
    (MANAGERS, {SUPER_ADMIN, OWNER, MANAGER}),
    (OPERATORS, {SUPER_ADMIN, OWNER, MANAGER, OPERATOR}),
    (READERS, {SUPER_ADMIN, OWNER, MANAGER, OPERATOR, VIEWER}),
    (ANYBODY, {SUPER_ADMIN, OWNER, MANAGER, OPERATOR, VIEWER, AGENT}),
]
MAY_USE = {name: roles for names, roles in ROWS for name in names}
