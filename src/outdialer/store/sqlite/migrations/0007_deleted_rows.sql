-- The order in which lists show deleted rows, for those who ask for them. The living rows' indexes stay without them.
CREATE INDEX outplans_deleted ON outplans (customer, tm_create, id) WHERE tm_delete IS NOT NULL;
CREATE INDEX campaigns_deleted ON campaigns (customer, tm_create, id) WHERE tm_delete IS NOT NULL;
CREATE INDEX outdials_deleted ON outdials (customer, tm_create, id) WHERE tm_delete IS NOT NULL;
CREATE INDEX targets_deleted ON targets (customer, outdial, tm_create, id) WHERE tm_delete IS NOT NULL;
CREATE INDEX attempts_deleted ON attempts (customer, tm_create, id) WHERE tm_delete IS NOT NULL;
CREATE INDEX attempts_of_campaign_deleted ON attempts (customer, campaign, tm_create, id)
    WHERE tm_delete IS NOT NULL;
CREATE INDEX entries_deleted ON entries (customer, kind, tm_create, id) WHERE tm_delete IS NOT NULL;
