-- Where each place that events are delivered to stands, and what waits for its next try.

-- name: endpoints
-- Nothing is delivered to a frozen customer.
SELECT webhook_states.*, json_extract(e.body, '$.uri') AS uri, json_extract(e.body, '$.method') AS method,
       json_extract(e.body, '$.event_types') AS event_types
FROM webhook_states
CROSS JOIN entries AS e ON e.customer = webhook_states.customer AND e.kind = 'webhook' AND e.id = webhook_states.endpoint
CROSS JOIN customers AS c ON c.key = webhook_states.customer
WHERE webhook_states.standing = 'enabled' AND c.tm_deletion_scheduled IS NULL;

-- name: own_endpoints
SELECT webhook_states.*, c.webhook_uri AS uri, c.webhook_method AS method, '[]' AS event_types
FROM webhook_states
CROSS JOIN customers AS c ON c.key = webhook_states.customer AND c.id = webhook_states.endpoint
WHERE webhook_states.standing = 'enabled' AND c.tm_deletion_scheduled IS NULL;

-- name: state
SELECT standing, reason, secret_number, tm_rotate FROM webhook_states
WHERE customer = :customer AND endpoint = :endpoint;

-- name: rotate_secret
-- A customer may rotate before it has a webhook_uri. The same request, when it comes again, has the same time.
INSERT INTO webhook_states (customer, endpoint, standing, cursor, secret_number, tm_rotate)
VALUES (:customer, :endpoint, 'unset', 0, 2, :now)
ON CONFLICT DO UPDATE SET secret_number = secret_number + 1, tm_rotate = :now WHERE tm_rotate IS NOT :now;

-- name: enable
UPDATE webhook_states SET standing = 'enabled', reason = '', failing_since = NULL
WHERE customer = :customer AND endpoint = :endpoint AND standing = 'disabled';

-- name: begin_again
UPDATE webhook_waiting SET tries = 0, first_try = NULL, due = :now
WHERE customer = :customer AND endpoint = :endpoint;

-- name: waiting
SELECT event_id, type, subject, x'' AS body, length(body) AS size, tries, first_try, last_try, due, code, why
FROM webhook_waiting
WHERE customer = :customer AND endpoint = :endpoint
ORDER BY key
LIMIT :count;

-- name: body
SELECT body FROM webhook_waiting WHERE customer = :customer AND endpoint = :endpoint AND event_id = :event_id;

-- name: keep_progress
UPDATE webhook_states
SET cursor = :cursor, failing_since = :failing_since,
    standing = CASE WHEN :disabled = '' THEN standing ELSE 'disabled' END,
    reason = CASE WHEN :disabled = '' THEN reason ELSE :disabled END
WHERE customer = :customer AND endpoint = :endpoint AND standing = 'enabled';

-- name: put_waiting
-- What is sent is written once.
INSERT INTO webhook_waiting (customer, endpoint, event_id, type, subject, body, tries, first_try, last_try, due,
                             code, why)
VALUES (:customer, :endpoint, :event_id, :type, :subject, :body, :tries, :first_try, :last_try, :due, :code, :why)
ON CONFLICT DO UPDATE SET tries = excluded.tries, first_try = excluded.first_try, last_try = excluded.last_try,
                          due = excluded.due, code = excluded.code, why = excluded.why;

-- name: delete_waiting
DELETE FROM webhook_waiting WHERE customer = :customer AND endpoint = :endpoint AND event_id = :event_id;
