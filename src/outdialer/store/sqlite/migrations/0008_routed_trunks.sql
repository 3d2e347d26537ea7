-- Trunks that carriers and routes make. provider: the carrier's id, nil for the trunk of the command line; a trunk
-- of a carrier has its customer's share in rate_per_s and channels, and what the carrier allows in all beside it.

ALTER TABLE trunks ADD COLUMN prefix TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN postfix TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN headers TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN provider BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
ALTER TABLE trunks ADD COLUMN provider_channels INTEGER NOT NULL DEFAULT 0;

CREATE INDEX trunks_of_provider ON trunks (provider);

-- What is taken of each trunk. A customer's share of a carrier is free only while the carrier as a whole has room:
-- calls of others that are above their share by now, or on trunks that are gone, still take its channels.
CREATE VIEW trunk_use AS
SELECT t.customer, t.key, coalesce(l.next_slot, 0) AS next_slot,
       CASE WHEN t.channels > 0 AND t.provider_channels > 0 THEN max(coalesce(l.in_use, 0), t.channels - t.provider_channels + (
           SELECT coalesce(sum(of_other.in_use), 0) FROM trunks AS other
           JOIN limits AS of_other ON of_other.customer = other.customer AND of_other.scope = 'trunk:' || other.key
           WHERE other.provider = t.provider))
       ELSE coalesce(l.in_use, 0) END AS in_use
FROM trunks AS t
LEFT JOIN limits AS l ON l.customer = t.customer AND l.scope = 'trunk:' || t.key;
