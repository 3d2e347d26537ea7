-- The run of a call's script is found by its own id, and can be deleted while the call stays.
ALTER TABLE calls ADD COLUMN tm_activeflow_delete INTEGER;
CREATE INDEX calls_of_activeflow ON calls (customer, activeflow_id);
