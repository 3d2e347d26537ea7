-- What happens to live attempts. Everything is read first, decided by the domain's tables, then written.

-- name: live_attempts
SELECT a.key, a.status, a.campaign, a.outdial, a.target, a.trunk, a.call, a.destination_index, a.event_number,
       a.answered, a.tm_ringing, a.tm_progressing, c.status AS call_status, t.status AS target_status,
       t.tries_0, t.tries_1, t.tries_2, t.tries_3, t.tries_4,
       t.tm_delete IS NOT NULL OR o.tm_delete IS NOT NULL AS removed
FROM json_each(:attempts) AS wanted
CROSS JOIN attempts AS a ON a.key = wanted.value
JOIN calls AS c ON c.customer = a.customer AND c.key = a.call
JOIN targets AS t ON t.customer = a.customer AND t.key = a.target
JOIN outdials AS o ON o.customer = a.customer AND o.key = a.outdial
WHERE a.customer = :customer AND a.status <> 'done';

-- name: update_attempt
UPDATE attempts
SET status = :status, event_number = :event_number, answered = :answered, tm_update = :tm,
    tm_ringing = :tm_ringing, tm_progressing = :tm_progressing
WHERE key = :attempt AND customer = :customer AND status <> 'done';

-- name: end_attempt
UPDATE attempts
SET status = :status, event_number = :event_number, answered = :answered, tm_update = :tm,
    tm_ringing = :tm_ringing, tm_progressing = :tm_progressing, tm_hangup = :tm,
    result = :result, hangup_reason = :reason, hangup_detail = :detail, sip_code = :sip_code,
    q850_cause = :q850_cause, charged = :charged, ring_ms = :ring_ms, talk_ms = :talk_ms
WHERE key = :attempt AND customer = :customer AND status <> 'done';

-- name: update_call
UPDATE calls
SET status = :call_status, answered = :answered, tm_update = :tm,
    tm_ringing = :tm_ringing, tm_progressing = :tm_progressing,
    tm_activeflow_end = coalesce(tm_activeflow_end, :tm_activeflow_end)
WHERE key = :call AND customer = :customer AND status <> 'hangup';

-- name: end_call
UPDATE calls
SET status = :call_status, answered = :answered, tm_update = :tm,
    tm_ringing = :tm_ringing, tm_progressing = :tm_progressing, tm_hangup = :tm,
    tm_activeflow_end = coalesce(tm_activeflow_end, :tm_activeflow_end),
    hangup_by = :hangup_by, hangup_reason = :reason, hangup_detail = :detail, sip_code = :sip_code,
    q850_cause = :q850_cause
WHERE key = :call AND customer = :customer AND status <> 'hangup';

-- name: answer_leg
-- What is needed to end the dialog after a restart, and when nothing of it can be up any more.
UPDATE legs SET dialog = :dialog, answered_until = :answered_until WHERE key = :leg AND customer = :customer;

-- name: end_target
UPDATE targets
SET status = :target_status, due = :due, due_reason = coalesce(:due_reason, due_reason), done_reason = :done_reason,
    version = version + 1, tm_update = :tm,
    tries_0 = tries_0 - (:returned_index = 0),
    tries_1 = tries_1 - (:returned_index = 1),
    tries_2 = tries_2 - (:returned_index = 2),
    tries_3 = tries_3 - (:returned_index = 3),
    tries_4 = tries_4 - (:returned_index = 4)
WHERE key = :target AND customer = :customer AND status = 'progressing';

-- name: free_channels
UPDATE limits SET in_use = in_use - :channels WHERE customer = :customer AND scope = :scope;

-- name: note_late_answer
UPDATE attempts SET late_answer = :late, tm_update = :at WHERE customer = :customer AND id = :attempt_id;
