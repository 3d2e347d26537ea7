-- Requests with an Idempotency-Key.

-- name: reservation
SELECT * FROM requests WHERE customer = :customer AND name = :name;

-- name: forget_old
DELETE FROM requests WHERE customer = :customer AND name = :name AND tm <= :before;

-- name: reserve
INSERT INTO requests (customer, name, request, fingerprint, credential, tm)
VALUES (:customer, :name, :request, :fingerprint, :credential, :at);

-- name: total
SELECT bytes FROM request_totals WHERE customer = :customer;

-- name: keep_answer
UPDATE requests SET status = :status, headers = :headers, body = :body
WHERE customer = :customer AND name = :name AND tm = :at;

-- name: free
DELETE FROM requests WHERE customer = :customer AND name = :name AND tm = :at;
