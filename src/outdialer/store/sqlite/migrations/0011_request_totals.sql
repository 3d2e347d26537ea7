-- How much the requests with an Idempotency-Key of one customer take, so that it can be bounded without counting them:
-- the answers' bodies, and 500 bytes for each request.
CREATE TABLE request_totals (
    customer INTEGER PRIMARY KEY REFERENCES customers (key),
    bytes    INTEGER NOT NULL
) STRICT;

CREATE TRIGGER request_is_counted AFTER INSERT ON requests
BEGIN
    INSERT INTO request_totals (customer, bytes) VALUES (NEW.customer, 500 + coalesce(length(NEW.body), 0))
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER answer_is_counted AFTER UPDATE OF body ON requests
BEGIN
    UPDATE request_totals SET bytes = bytes + coalesce(length(NEW.body), 0) - coalesce(length(OLD.body), 0)
    WHERE customer = NEW.customer;
END;

CREATE TRIGGER request_is_forgotten AFTER DELETE ON requests
BEGIN
    UPDATE request_totals SET bytes = bytes - 500 - coalesce(length(OLD.body), 0) WHERE customer = OLD.customer;
END;

INSERT INTO request_totals (customer, bytes)
SELECT customer, sum(500 + coalesce(length(body), 0)) FROM requests GROUP BY customer;
