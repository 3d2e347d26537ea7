-- When our side ended the run of a call's script before the call was over; null: it ends with the call.
ALTER TABLE calls ADD COLUMN tm_activeflow_end INTEGER;
