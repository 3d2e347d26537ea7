-- Attempts with what they refer to, as people see them.
CREATE VIEW attempt_rows AS
SELECT a.*, c.id AS campaign_id, q.id AS outplan_id, o.id AS outdial_id, t.id AS target_id, t.name AS target_name,
       t.addresses, v.queue_id, p.terms, k.id AS call_id
FROM attempts AS a
JOIN campaigns AS c ON c.customer = a.customer AND c.key = a.campaign
JOIN campaign_versions AS v ON v.customer = a.customer AND v.key = a.campaign_version
JOIN outplan_versions AS p ON p.customer = a.customer AND p.key = a.outplan_version
JOIN outplans AS q ON q.customer = p.customer AND q.key = p.outplan
JOIN outdials AS o ON o.customer = a.customer AND o.key = a.outdial
JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
JOIN calls AS k ON k.customer = a.customer AND k.key = a.call;
