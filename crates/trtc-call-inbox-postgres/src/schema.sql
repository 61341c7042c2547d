-- The tables of the inbox, and what it does in them.
--
-- A release only adds: tables, indexes, columns with defaults, and functions. A function that would take
-- or return something else gets another name. What is no longer needed goes one release later, so that two
-- versions can work in one schema.
--
-- Texts of callbacks are escaped, since a text here holds no NUL: \ is \\, and NUL is \0.

CREATE TABLE trtc_call.schema (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL,
    oldest integer NOT NULL,
    -- For tests: what time it is, instead of the clock's.
    test_time timestamptz
);

CREATE SEQUENCE trtc_call.item_numbers;

-- One row for each idempotency key, for longer than its items. It is found by the key's SHA-256, since
-- a key may be too long for an index. Who puts something locks it; nobody locks it longer than a moment.
CREATE TABLE trtc_call.keys (
    digest bytea PRIMARY KEY,
    key text COLLATE "C" NOT NULL,
    sdk_app_id bigint NOT NULL,
    compared text COLLATE "C" NOT NULL,
    first_item bigint NOT NULL,
    deliveries bigint NOT NULL DEFAULT 1,
    last_at timestamptz NOT NULL,
    items integer NOT NULL DEFAULT 1,
    pruned_handled bigint,
    -- Whether two bodies would be billed differently. It stops also the items that could not be marked
    -- at that moment, since somebody's transaction held them.
    is_disputed boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX keys_bare ON trtc_call.keys (last_at) WHERE items = 0;

-- The indexes of the states share the items out among them, and hold what is counted. Only the items of a
-- key that are not its first stand in an index of keys.
CREATE TABLE trtc_call.items (
    id bigint PRIMARY KEY,
    digest bytea NOT NULL,
    is_rival boolean NOT NULL DEFAULT false,
    sha256 bytea NOT NULL,
    sdk_app_id bigint NOT NULL,
    command text COLLATE "C",
    call_id text COLLATE "C",
    source text COLLATE "C" NOT NULL,
    signature text COLLATE "C" NOT NULL,
    received_at timestamptz NOT NULL,
    state text COLLATE "C" NOT NULL,
    due_at timestamptz NOT NULL,
    delay interval NOT NULL DEFAULT '0',
    attempts integer NOT NULL DEFAULT 0,
    first_attempt_at timestamptz,
    lost_leases integer NOT NULL DEFAULT 0,
    is_suspect boolean NOT NULL GENERATED ALWAYS AS (lost_leases > 0) STORED,
    last_error text COLLATE "C",
    owner bigint,
    -- Tells who has it now from who had it before: who works it, or who asks for its record.
    token bigint,
    leased_until timestamptz,
    lease_term interval,
    done_as text COLLATE "C",
    done_at timestamptz,
    replaces bigint,
    has_record boolean NOT NULL DEFAULT false,
    confirmation text COLLATE "C",
    missing_since timestamptz,
    -- Last, so that no other column is read past them.
    body bytea,
    record bytea
) WITH (
    -- Each item is updated twice and then deleted: what is dead is to be cleared away early.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
);
CREATE INDEX items_rival ON trtc_call.items (digest) WHERE is_rival;
-- Not a B-tree, which takes no text as long as a call's id may be.
CREATE INDEX items_call ON trtc_call.items USING hash (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX items_waiting ON trtc_call.items (is_suspect, due_at, id) INCLUDE (sdk_app_id)
    WHERE state = 'waiting';
CREATE INDEX items_leased ON trtc_call.items (leased_until) INCLUDE (sdk_app_id)
    WHERE state = 'leased';
CREATE INDEX items_done ON trtc_call.items (done_at) INCLUDE (sdk_app_id)
    WHERE state = 'done';
CREATE INDEX items_stopped ON trtc_call.items (state, id) INCLUDE (sdk_app_id)
    WHERE state IN ('confirming', 'dead', 'disputed');
-- What the vendor is asked about, by when it is due.
CREATE INDEX items_asked ON trtc_call.items (sdk_app_id, due_at, id)
    WHERE state IN ('confirming', 'disputed') AND has_record AND confirmation IS NULL;

-- Who reconciles an app and how far that got, and until when its budget of questions is spent.
CREATE TABLE trtc_call.apps (
    sdk_app_id bigint PRIMARY KEY,
    owner bigint,
    leased_until timestamptz,
    lease_term interval,
    progress text COLLATE "C",
    spent_until timestamptz
);

-- What time it is here.
CREATE FUNCTION trtc_call.now() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(test_time, clock_timestamp()) FROM trtc_call.schema
$$;

-- Begins whatever a program of this version does in a transaction: refuses one that is too old, has the
-- commit wait for the disk and say so if it did not wait for a standby, waits for no lock for long, and says
-- what time it is.
CREATE FUNCTION trtc_call.begin_work(version integer) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    known record;
BEGIN
    -- Plans are made once for each connection, also while a table is empty: by the indexes, then.
    PERFORM set_config('lock_timeout', '100ms', true), set_config('enable_seqscan', 'off', true),
            set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true),
            set_config('client_min_messages', 'warning', true);
    SELECT s.version, s.oldest, coalesce(s.test_time, clock_timestamp()) AS now
    INTO STRICT known FROM trtc_call.schema AS s;
    IF known.oldest > begin_work.version THEN
        RAISE EXCEPTION
            'the schema is of version %, which needs a program that knows version %; this one knows %',
            known.version, known.oldest, begin_work.version USING ERRCODE = 'TC001';
    END IF;
    -- A level that waits for a standby stays.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    RETURN known.now;
END
$$;

-- Keeps items of different keys. Gives the number of each that is new, and null for one that would be
-- billed as one that is known. Refuses all if somebody has to compare one of them: a dispute, mostly.
--
-- Records bring numbers along. Those with a known key are compared by whoever puts them: here those keys are
-- locked.
CREATE FUNCTION trtc_call.put(
    version integer, of_records bigint[], digests bytea[], keys text[], sdk_app_ids bigint[],
    compared text[], commands text[], call_ids text[], sources text[], signatures text[],
    has_records boolean[], sha256s bytea[], bodies bytea[],
    OUT numbers bigint[], OUT at timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    unclear bytea[];
BEGIN
    at := trtc_call.begin_work(version);
    -- By the places of the arrays, of which many are expected: many rows are joined by their hashes.
    WITH brought AS MATERIALIZED (
        SELECT coalesce(of_records[n], nextval('trtc_call.item_numbers')) AS id, n AS place,
               digests[n] AS digest, keys[n] AS key, sdk_app_ids[n] AS sdk_app_id,
               put.compared[n] AS compared, commands[n] AS command, call_ids[n] AS call_id,
               sources[n] AS source, signatures[n] AS signature, has_records[n] AS has_record,
               sha256s[n] AS sha256, bodies[n] AS body
        FROM generate_series(1, cardinality(digests)) AS n
    ),
    -- In one order everywhere, so that no two wait for each other.
    known AS (
        INSERT INTO trtc_call.keys AS k (digest, key, sdk_app_id, compared, first_item, last_at)
        SELECT b.digest, b.key, b.sdk_app_id, b.compared, b.id, put.at FROM brought AS b ORDER BY b.digest
        ON CONFLICT (digest) DO UPDATE SET deliveries = k.deliveries + 1, last_at = put.at
        WHERE of_records IS NULL
        RETURNING k.digest, k.first_item, k.compared
    ),
    stored AS (
        INSERT INTO trtc_call.items (id, digest, sha256, sdk_app_id, command, call_id, source, signature,
                                     has_record, received_at, state, due_at, body)
        SELECT b.id, b.digest, b.sha256, b.sdk_app_id, b.command, b.call_id, b.source, b.signature,
               b.has_record, put.at, 'waiting', put.at, b.body
        FROM brought AS b JOIN known AS k ON k.first_item = b.id
    )
    SELECT array_agg(CASE WHEN k.first_item = b.id THEN b.id END ORDER BY b.place),
           array_agg(b.digest) FILTER (WHERE k.first_item <> b.id AND k.compared <> b.compared)
    INTO numbers, unclear
    FROM brought AS b LEFT JOIN known AS k ON k.digest = b.digest;

    -- Another statement: it sees what was stored while this one waited for a key.
    IF unclear IS NOT NULL AND EXISTS (
        SELECT FROM unnest(digests, sha256s) AS b (digest, sha256)
        WHERE b.digest = ANY (unclear) AND NOT trtc_call.has_body(b.digest, b.sha256)
    ) THEN
        RAISE EXCEPTION 'a callback has to be compared with a known one of its key'
            USING ERRCODE = 'TC002';
    END IF;
END
$$;

-- Whether a body of a key is the same to the byte.
CREATE FUNCTION trtc_call.has_body(digest bytea, sha256 bytea) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM trtc_call.keys AS k JOIN trtc_call.items AS i ON i.id = k.first_item
        WHERE k.digest = has_body.digest AND i.sha256 = has_body.sha256
    ) OR EXISTS (
        SELECT FROM trtc_call.items AS i
        WHERE i.digest = has_body.digest AND i.is_rival AND i.sha256 = has_body.sha256
    );
END
$$;

-- Numbers for so many items, in the order of their arrival.
CREATE FUNCTION trtc_call.next_numbers(items integer) RETURNS bigint[]
LANGUAGE sql AS $$
    SELECT array_agg(nextval('trtc_call.item_numbers')) FROM generate_series(1, items)
$$;

-- Keeps one item, by this number or the next, unless its key is known: then it gives what is compared of
-- the key's bodies, and whether one of them is the same to the byte.
CREATE FUNCTION trtc_call.put_one(
    version integer, number bigint, key text, compared text, digest bytea, sdk_app_id bigint,
    command text, call_id text, source text, signature text, has_record boolean, sha256 bytea, body bytea,
    OUT item bigint, OUT known text, OUT has_body boolean, OUT at timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
BEGIN
    at := trtc_call.begin_work(version);
    item := coalesce(number, nextval('trtc_call.item_numbers'));
    INSERT INTO trtc_call.keys AS k (digest, key, sdk_app_id, compared, first_item, last_at)
    VALUES (put_one.digest, put_one.key, put_one.sdk_app_id, put_one.compared, put_one.item, put_one.at)
    ON CONFLICT ON CONSTRAINT keys_pkey
    DO UPDATE SET deliveries = k.deliveries + 1, last_at = put_one.at
    RETURNING k.first_item, k.compared INTO first, known;
    IF first = item THEN
        known := NULL;
        INSERT INTO trtc_call.items (id, digest, sha256, sdk_app_id, command, call_id, source, signature,
                                     has_record, received_at, state, due_at, body)
        VALUES (put_one.item, put_one.digest, put_one.sha256, put_one.sdk_app_id, put_one.command,
                put_one.call_id, put_one.source, put_one.signature, put_one.has_record, put_one.at,
                'waiting', put_one.at, put_one.body);
    ELSE
        has_body := trtc_call.has_body(put_one.digest, put_one.sha256);
    END IF;
END
$$;

-- Stores another body of a key that would be billed differently, and stops every item of the key. What
-- a transaction of the user's holds is not waited for: that the key is disputed stops it as well, unless
-- that transaction has completed it. The new item is due after this delay, when its record is asked for.
CREATE FUNCTION trtc_call.dispute(
    at timestamptz, delay interval, item bigint, compared text, digest bytea, sdk_app_id bigint,
    command text, call_id text, source text, signature text, has_record boolean, sha256 bytea, body bytea,
    OUT after_done boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    known record;
BEGIN
    UPDATE trtc_call.keys AS k
    SET items = k.items + 1, compared = dispute.compared, is_disputed = true
    WHERE k.digest = dispute.digest
    RETURNING k.first_item, k.pruned_handled INTO STRICT known;
    UPDATE trtc_call.items AS i
    SET state = 'disputed', owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
    WHERE i.id IN (
        SELECT o.id FROM trtc_call.items AS o
        WHERE (o.id = known.first_item OR (o.digest = dispute.digest AND o.is_rival))
          -- What is disputed already, only if somebody asks about it.
          AND (o.state IN ('waiting', 'confirming', 'leased', 'dead')
               OR (o.state = 'disputed' AND o.token IS NOT NULL))
        FOR UPDATE SKIP LOCKED
    );
    after_done := known.pruned_handled IS NOT NULL OR EXISTS (
        SELECT FROM trtc_call.items AS i
        WHERE (i.id = known.first_item OR (i.digest = dispute.digest AND i.is_rival))
          AND i.state <> 'disputed'
    );
    INSERT INTO trtc_call.items (id, digest, is_rival, sha256, sdk_app_id, command, call_id, source,
                                 signature, has_record, received_at, state, due_at, delay, body)
    VALUES (dispute.item, dispute.digest, true, dispute.sha256, dispute.sdk_app_id, dispute.command,
            dispute.call_id, dispute.source, dispute.signature, dispute.has_record, dispute.at, 'disputed',
            dispute.at + dispute.delay, dispute.delay, dispute.body);
END
$$;

-- Takes back what other owners have lost, then hands out items, all by one token: it tells this lease of an
-- item from its others. The last row has no item, and says the rest. Nobody waits for a row that somebody
-- holds.
CREATE FUNCTION trtc_call.lease(
    version integer, new_owner bigint, new_token bigint, at_most bigint, term interval,
    max_lost_leases integer, tolerance interval, suspects boolean, ordered_by_call boolean,
    heals boolean, latest timestamptz
)
RETURNS TABLE (
    item bigint, token bigint, key text, sdk_app_id bigint, command text, call_id text, source text,
    signature text, received_at timestamptz, attempts integer, first_attempt_at timestamptz,
    replaces bigint, confirmation text, body bytea, record bytea,
    at timestamptz, died bigint[], suspects_due boolean, next_due timestamptz, is_healed boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    now timestamptz := trtc_call.begin_work(version);
    given_up bigint[];
    has_suspects boolean;
    next timestamptz;
    is_through boolean := true;
    ids bigint[];
    changed bigint;
BEGIN
    heals := heals OR now < latest;
    WITH lost AS MATERIALIZED (
        SELECT i.id, i.lost_leases + 1 AS leases, k.is_disputed
        FROM trtc_call.items AS i JOIN trtc_call.keys AS k ON k.digest = i.digest
        WHERE i.id IN (
            SELECT o.id FROM trtc_call.items AS o
            WHERE o.state = 'leased' AND o.owner <> new_owner AND o.leased_until <= now
            UNION ALL
            -- What was leased by a clock that was ahead.
            SELECT o.id FROM trtc_call.items AS o
            WHERE heals AND o.state = 'leased' AND o.owner <> new_owner
              AND o.leased_until > now + o.lease_term + tolerance
        )
        -- Once more, of what it is when it is locked.
        AND i.state = 'leased' AND i.owner <> new_owner
        AND (i.leased_until <= now OR i.leased_until > now + i.lease_term + tolerance)
        LIMIT 512
        FOR UPDATE OF i SKIP LOCKED
    ),
    rescued AS (
        UPDATE trtc_call.items AS i
        SET state = CASE WHEN lost.is_disputed THEN 'disputed'
                         WHEN lost.leases < lease.max_lost_leases THEN 'waiting'
                         ELSE 'dead' END,
            due_at = CASE WHEN lost.leases < lease.max_lost_leases THEN now ELSE i.due_at END,
            delay = CASE WHEN lost.leases < lease.max_lost_leases THEN '0' ELSE i.delay END,
            lost_leases = lost.leases,
            last_error = CASE
                WHEN lost.leases < lease.max_lost_leases OR lost.is_disputed THEN i.last_error
                ELSE format('its lease ended %s times without a word', lost.leases) END,
            owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
        FROM lost WHERE i.id = lost.id
        RETURNING i.id, i.state
    )
    SELECT array_agg(r.id) INTO given_up FROM rescued AS r WHERE r.state = 'dead';

    -- What was put off by a clock that was ahead, for longer than was asked.
    IF heals THEN
        UPDATE trtc_call.items AS i SET due_at = now, delay = '0'
        WHERE i.id IN (
            SELECT o.id FROM trtc_call.items AS o
            WHERE o.state = 'waiting' AND o.due_at > now + o.delay
            LIMIT 2000
            FOR UPDATE SKIP LOCKED
        );
        GET DIAGNOSTICS changed = ROW_COUNT;
        is_through := changed < 2000;
    END IF;

    has_suspects := EXISTS (
        SELECT FROM trtc_call.items AS i
        WHERE i.state = 'waiting' AND i.is_suspect AND i.due_at <= now
          AND (NOT lease.ordered_by_call OR trtc_call.has_turn(i.id, i.call_id, i.sdk_app_id))
    );

    SELECT array_agg(d.id) INTO ids FROM (
        SELECT i.id FROM trtc_call.items AS i
        WHERE i.state = 'waiting' AND i.is_suspect = suspects AND i.due_at <= now
          AND (NOT lease.ordered_by_call OR trtc_call.has_turn(i.id, i.call_id, i.sdk_app_id))
        ORDER BY i.due_at, i.id
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    ) AS d;
    RETURN QUERY
    WITH handed_out AS (
        UPDATE trtc_call.items AS i
        SET state = 'leased', attempts = i.attempts + 1,
            first_attempt_at = coalesce(i.first_attempt_at, now),
            owner = new_owner, token = new_token, leased_until = now + term, lease_term = term
        FROM trtc_call.keys AS k
        WHERE i.id = ANY (ids) AND k.digest = i.digest AND NOT k.is_disputed
        RETURNING i.*, k.key
    )
    SELECT h.id, h.token, h.key, h.sdk_app_id, h.command, h.call_id, h.source, h.signature,
           h.received_at, h.attempts, h.first_attempt_at, h.replaces, h.confirmation, h.body, h.record,
           now, NULL::bigint[], NULL::boolean, NULL::timestamptz, NULL::boolean
    FROM handed_out AS h ORDER BY h.due_at, h.id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed < cardinality(ids) THEN
        -- What was held when its key became disputed.
        UPDATE trtc_call.items AS i SET state = 'disputed'
        WHERE i.id = ANY (ids) AND i.state = 'waiting'
          AND EXISTS (SELECT FROM trtc_call.keys AS k WHERE k.digest = i.digest AND k.is_disputed);
    END IF;

    next := least(
        (SELECT min(i.due_at) FROM trtc_call.items AS i
         WHERE i.state = 'waiting' AND NOT i.is_suspect AND i.due_at > now),
        (SELECT min(i.due_at) FROM trtc_call.items AS i
         WHERE i.state = 'waiting' AND i.is_suspect AND i.due_at > now)
    );
    RETURN QUERY SELECT
        NULL::bigint, NULL::bigint, NULL, NULL::bigint, NULL, NULL, NULL, NULL, NULL::timestamptz,
        NULL::integer, NULL::timestamptz, NULL::bigint, NULL, NULL::bytea, NULL::bytea,
        now, given_up, has_suspects, next, is_through;
END
$$;

-- Whether no earlier item of the call waits, also for its record, or is worked.
CREATE FUNCTION trtc_call.has_turn(item bigint, call_id text, sdk_app_id bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN has_turn.call_id IS NULL OR NOT EXISTS (
        -- Not by the index of the numbers: most items have a lower one.
        SELECT FROM trtc_call.items AS i
        WHERE i.call_id = has_turn.call_id AND i.sdk_app_id = has_turn.sdk_app_id
          AND i.state IN ('waiting', 'confirming', 'leased') AND i.id + 0 < has_turn.item
    );
END
$$;

-- Here and below, what is leased is found by its number, not by the index of what is leased: all that was
-- leased stands in that one until a vacuum, which a transaction elsewhere may hold back.
--
-- Makes leases end so long from now. A row that a transaction of the user's holds stays as it is: its
-- lease cannot be taken away meanwhile.
CREATE FUNCTION trtc_call.renew(
    version integer, ids bigint[], tokens bigint[], term interval,
    OUT held boolean[], OUT at timestamptz
)
LANGUAGE plpgsql AS $$
BEGIN
    at := trtc_call.begin_work(version);
    SELECT array_agg(i.id IS NOT NULL ORDER BY a.place) INTO held
    FROM unnest(ids, tokens) WITH ORDINALITY AS a (id, token, place)
    LEFT JOIN trtc_call.items AS i ON i.id = a.id AND i.token = a.token AND i.state || '' = 'leased';
    UPDATE trtc_call.items AS i SET leased_until = renew.at + term, lease_term = term
    WHERE i.id IN (
        SELECT o.id FROM unnest(ids, tokens) AS a (id, token)
        JOIN trtc_call.items AS o ON o.id = a.id AND o.token = a.token AND o.state || '' = 'leased'
        FOR UPDATE OF o SKIP LOCKED
    );
END
$$;

-- Ends leases. Says of each whether it was held, and null where a transaction of the user's holds the
-- row. An outcome is done, retry, dead, back, ask, or undecidable.
CREATE FUNCTION trtc_call.settle(
    version integer, ids bigint[], tokens bigint[], outcomes text[], done_as text[], afters interval[],
    uncounted integer[], errors text[],
    OUT held boolean[], OUT at timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    places integer[];
    settled record;
BEGIN
    at := trtc_call.begin_work(version);
    held := array_fill(false, ARRAY[cardinality(ids)]);
    SELECT array_agg(d.n) INTO places FROM (
        SELECT n FROM generate_series(1, cardinality(ids)) AS n
        JOIN trtc_call.items AS i ON i.id = ids[n]
        -- Many places are expected, and few numbers: these lead to the rows.
        WHERE i.id = ANY (ids) AND i.token = tokens[n] AND i.state || '' = 'leased'
        FOR UPDATE OF i SKIP LOCKED
    ) AS d;
    FOR settled IN
        UPDATE trtc_call.items AS i
        SET state = CASE WHEN k.is_disputed THEN 'disputed'
                         WHEN outcomes[n] IN ('retry', 'back') THEN 'waiting'
                         WHEN outcomes[n] = 'ask' THEN 'confirming'
                         WHEN outcomes[n] = 'undecidable' THEN 'dead'
                         ELSE outcomes[n] END,
            due_at = CASE outcomes[n] WHEN 'retry' THEN settle.at + afters[n]
                                      WHEN 'back' THEN least(i.due_at, settle.at)
                                      WHEN 'ask' THEN greatest(i.received_at + afters[n], settle.at)
                                      ELSE i.due_at END,
            delay = CASE outcomes[n] WHEN 'retry' THEN afters[n] WHEN 'back' THEN '0' ELSE i.delay END,
            attempts = greatest(i.attempts - settle.uncounted[n], 0),
            first_attempt_at = CASE WHEN i.attempts > settle.uncounted[n] THEN i.first_attempt_at END,
            lost_leases = CASE WHEN outcomes[n] IN ('back', 'ask') THEN i.lost_leases ELSE 0 END,
            last_error = coalesce(errors[n], i.last_error),
            confirmation = CASE WHEN outcomes[n] = 'ask' THEN NULL
                                WHEN outcomes[n] = 'undecidable' AND NOT k.is_disputed THEN 'undecidable'
                                ELSE i.confirmation END,
            done_as = CASE WHEN outcomes[n] = 'done' AND NOT k.is_disputed THEN settle.done_as[n] END,
            done_at = CASE WHEN outcomes[n] = 'done' AND NOT k.is_disputed THEN settle.at END,
            owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
        FROM unnest(places) AS n, trtc_call.keys AS k
        WHERE i.id = ids[n] AND k.digest = i.digest
        RETURNING n, NOT k.is_disputed AS was_held
    LOOP
        held[settled.n] := settled.was_held;
    END LOOP;
    IF cardinality(places) IS DISTINCT FROM cardinality(ids) THEN
        FOR settled IN
            SELECT n FROM generate_series(1, cardinality(ids)) AS n
            JOIN trtc_call.items AS i ON i.id = ids[n]
            WHERE i.id = ANY (ids) AND i.token = tokens[n] AND i.state || '' = 'leased'
        LOOP
            held[settled.n] := NULL;
        END LOOP;
    END IF;
END
$$;

-- Completes a job, in a transaction of the user's: both are there once that is committed, or neither
-- is. Raises if somebody else has the item by now, or if it is disputed: an update of no rows would be no
-- error, and what stands beside it would be committed.
--
-- From now on the transaction holds the item. If its client is gone without a word, with its machine, that is
-- to come to an end: ten minutes without a statement are longer than a handler may take by default.
CREATE FUNCTION trtc_call.complete(id bigint, token bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE trtc_call.items AS i
    SET state = 'done', done_as = 'handled', done_at = trtc_call.now(), lost_leases = 0,
        owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
    WHERE i.id = complete.id AND i.token = complete.token AND i.state || '' = 'leased'
      AND NOT EXISTS (SELECT FROM trtc_call.keys AS k WHERE k.digest = i.digest AND k.is_disputed);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease of item % is lost: somebody else has it, or it is disputed', id
            USING ERRCODE = 'TC003';
    END IF;
    IF current_setting('idle_in_transaction_session_timeout') = '0' THEN
        PERFORM set_config('idle_in_transaction_session_timeout', '10min', true);
    END IF;
END
$$;

-- Makes items that are dead or wait, also for their record, due at once, as if they were new.
CREATE FUNCTION trtc_call.replay(version integer, ids bigint[], OUT replayed bigint[], OUT at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    at := trtc_call.begin_work(version);
    WITH locked AS MATERIALIZED (
        SELECT i.id, k.is_disputed
        FROM trtc_call.items AS i JOIN trtc_call.keys AS k ON k.digest = i.digest
        WHERE i.id = ANY (ids) AND i.state IN ('dead', 'waiting', 'confirming')
        ORDER BY i.id FOR UPDATE OF i
    ),
    changed AS (
        UPDATE trtc_call.items AS i
        SET state = CASE WHEN l.is_disputed THEN 'disputed' ELSE 'waiting' END,
            due_at = replay.at, delay = '0', attempts = 0, first_attempt_at = NULL, lost_leases = 0,
            last_error = NULL, confirmation = NULL, missing_since = NULL, token = NULL
        FROM locked AS l WHERE i.id = l.id
    )
    SELECT coalesce(array_agg(l.id), '{}') INTO replayed FROM locked AS l WHERE NOT l.is_disputed;
END
$$;

-- Puts items away that wait, also for their record, are dead or disputed.
CREATE FUNCTION trtc_call.discard(version integer, ids bigint[], OUT discarded bigint[], OUT at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    at := trtc_call.begin_work(version);
    WITH locked AS MATERIALIZED (
        SELECT i.id FROM trtc_call.items AS i
        WHERE i.id = ANY (ids) AND i.state IN ('waiting', 'confirming', 'dead', 'disputed')
        ORDER BY i.id FOR UPDATE
    ),
    changed AS (
        UPDATE trtc_call.items AS i
        SET state = 'done', done_as = 'discarded', done_at = discard.at, token = NULL
        FROM locked AS l WHERE i.id = l.id
    )
    SELECT coalesce(array_agg(l.id), '{}') INTO discarded FROM locked AS l;
END
$$;

-- Decides a dispute in favour of an item, or that its record is not needed: it waits, corrects another one,
-- stays, or is not disputed.
CREATE FUNCTION trtc_call.resolve(
    version integer, item bigint, OUT word text, OUT corrects bigint, OUT at timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    chosen record;
    known record;
BEGIN
    at := trtc_call.begin_work(version);
    word := 'not disputed';
    SELECT k.* INTO known FROM trtc_call.keys AS k
    WHERE k.digest = (SELECT i.digest FROM trtc_call.items AS i WHERE i.id = item)
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM FROM trtc_call.items AS i
    WHERE i.id = known.first_item OR (i.digest = known.digest AND i.is_rival)
    ORDER BY i.id FOR UPDATE;

    SELECT i.state, i.body IS NOT NULL AND i.state <> 'leased' AS can_be_worked,
           i.state = 'confirming' OR (i.state = 'dead' AND i.confirmation IS NOT NULL) AS is_unconfirmed
    INTO chosen FROM trtc_call.items AS i WHERE i.id = item;
    -- What was decided before may be decided again.
    IF NOT chosen.is_unconfirmed AND NOT EXISTS (
        SELECT FROM trtc_call.items AS i
        WHERE (i.id = known.first_item OR (i.digest = known.digest AND i.is_rival))
          AND (i.state = 'disputed' OR (chosen.state = 'done' AND i.id <> item))
    ) THEN
        RETURN;
    END IF;
    corrects := coalesce(
        (SELECT i.id FROM trtc_call.items AS i
         WHERE (i.id = known.first_item OR (i.digest = known.digest AND i.is_rival))
           AND i.done_as = 'handled'
         ORDER BY i.done_at DESC, i.id DESC LIMIT 1),
        known.pruned_handled
    );
    IF corrects IS DISTINCT FROM item AND NOT chosen.can_be_worked THEN
        RETURN;
    END IF;

    UPDATE trtc_call.keys AS k SET is_disputed = false WHERE k.digest = known.digest;
    UPDATE trtc_call.items AS i
    SET state = 'done', done_as = 'rejected', done_at = resolve.at,
        owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
    WHERE (i.id = known.first_item OR (i.digest = known.digest AND i.is_rival))
      AND i.id <> item AND i.state <> 'done';
    IF corrects = item THEN
        word := 'stays';
        RETURN;
    END IF;
    UPDATE trtc_call.items AS i
    SET state = 'waiting', due_at = resolve.at, delay = '0', attempts = 0, first_attempt_at = NULL,
        lost_leases = 0, last_error = NULL, confirmation = 'resolved', missing_since = NULL, token = NULL,
        done_as = NULL, done_at = NULL, replaces = corrects
    WHERE i.id = item;
    word := CASE WHEN corrects IS NULL THEN 'waits' ELSE 'corrects' END;
END
$$;

-- What is known of records' keys: what is compared of their bodies, and whether that is all that has to be
-- known. It is if the key has no item, or only its first one, which is worked or was: then no record has
-- that one worked. If nothing that is known is touched, it may also wait or be dead.
CREATE FUNCTION trtc_call.known(
    version integer, digests bytea[], touches_known boolean,
    OUT known bytea[], OUT compared text[], OUT suffices boolean[], OUT at timestamptz
)
LANGUAGE plpgsql AS $$
BEGIN
    at := trtc_call.begin_work(version);
    SELECT array_agg(k.digest), array_agg(k.compared), array_agg(k.items = 0 OR (k.items = 1 AND coalesce(
        (SELECT NOT touches_known OR i.state IN ('leased', 'done')
         FROM trtc_call.items AS i WHERE i.id = k.first_item),
        false
    )))
    INTO known, compared, suffices
    FROM trtc_call.keys AS k WHERE k.digest = ANY (digests);
END
$$;

-- The items of a key that is locked, which are locked by this as well: what a transaction of the user's holds
-- is taken for leased. In the order of their arrival, with bodies where a record may be compared with them. A
-- key without items gives one row, without a number.
CREATE FUNCTION trtc_call.known_items(digest bytea, touches_known boolean)
RETURNS TABLE (
    compared text, pruned_handled bigint, item bigint, state text, command text, done_as text,
    done_at timestamptz, confirmation text, body bytea, record bytea
)
LANGUAGE plpgsql AS $$
DECLARE
    known record;
    locked bigint[];
BEGIN
    SELECT k.* INTO STRICT known FROM trtc_call.keys AS k WHERE k.digest = known_items.digest;
    SELECT array_agg(o.id) INTO locked FROM (
        SELECT i.id FROM trtc_call.items AS i
        WHERE (i.id = known.first_item OR (i.digest = known.digest AND i.is_rival)) AND i.state <> 'done'
        FOR UPDATE SKIP LOCKED
    ) AS o;
    RETURN QUERY
    SELECT known.compared, known.pruned_handled, f.* FROM (VALUES (true)) AS one LEFT JOIN (
        SELECT i.id,
               CASE WHEN i.state = 'done' THEN i.state
                    WHEN i.id <> ALL (coalesce(locked, '{}')) THEN 'leased'
                    WHEN known.is_disputed THEN 'disputed'
                    ELSE i.state END,
               i.command, i.done_as, i.done_at, i.confirmation, b.body, b.record
        FROM trtc_call.items AS i
        LEFT JOIN LATERAL (SELECT i.body, i.record) AS b
            ON i.done_as = 'handled' OR (touches_known AND i.state <> 'done')
        WHERE i.id = known.first_item OR (i.digest = known.digest AND i.is_rival)
    ) AS f ON true
    ORDER BY f.id;
END
$$;

-- Has a record decide its key, which is locked as well as these items: what is rejected is done. If something
-- is to be worked, that is the chosen item, or else the record itself, by this number; gives which one it is.
CREATE FUNCTION trtc_call.decide(
    at timestamptz, number bigint, rejected bigint[], works boolean, chosen bigint, corrects bigint,
    compared text, digest bytea, sdk_app_id bigint, command text, call_id text, source text,
    signature text, has_record boolean, sha256 bytea, body bytea, OUT item bigint
)
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE trtc_call.keys AS k
    SET compared = decide.compared, is_disputed = false,
        items = k.items + (works AND chosen IS NULL)::integer
    WHERE k.digest = decide.digest;
    UPDATE trtc_call.items AS i
    SET state = 'done', done_as = 'rejected', done_at = decide.at,
        owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
    WHERE i.id = ANY (rejected);
    IF NOT works THEN
        RETURN;
    END IF;
    item := coalesce(chosen, number);
    IF chosen IS NULL THEN
        INSERT INTO trtc_call.items (id, digest, is_rival, sha256, sdk_app_id, command, call_id, source,
                                     signature, has_record, received_at, state, due_at, replaces, body)
        VALUES (decide.item, decide.digest, true, decide.sha256, decide.sdk_app_id, decide.command,
                decide.call_id, decide.source, decide.signature, decide.has_record, decide.at, 'waiting',
                decide.at, corrects, decide.body);
    ELSE
        UPDATE trtc_call.items AS i
        SET state = 'waiting', due_at = decide.at, delay = '0', attempts = 0, first_attempt_at = NULL,
            lost_leases = 0, last_error = NULL, confirmation = NULL, missing_since = NULL,
            owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL,
            replaces = corrects, record = decide.body
        WHERE i.id = chosen;
    END IF;
END
$$;

-- How many items of an app may be asked about, counted up to so many, when the next one is due that is not
-- yet, and until when the app's budget is spent. Nothing is due further ahead than the latest, but where a
-- clock was set back.
CREATE FUNCTION trtc_call.asked(
    version integer, sdk_app_id bigint, at_most bigint, longest interval,
    OUT due bigint, OUT next_due timestamptz, OUT spent_until timestamptz, OUT at timestamptz
)
LANGUAGE plpgsql AS $$
BEGIN
    at := trtc_call.begin_work(version);
    SELECT count(*) INTO due FROM (
        (SELECT 1 FROM trtc_call.items AS i
         WHERE i.state IN ('confirming', 'disputed') AND i.has_record AND i.confirmation IS NULL
           AND i.sdk_app_id = asked.sdk_app_id AND i.due_at <= asked.at
         LIMIT at_most)
        UNION ALL
        (SELECT 1 FROM trtc_call.items AS i
         WHERE i.state IN ('confirming', 'disputed') AND i.has_record AND i.confirmation IS NULL
           AND i.sdk_app_id = asked.sdk_app_id AND i.due_at > asked.at + longest
         LIMIT at_most)
    ) AS d;
    next_due := (
        SELECT min(i.due_at) FROM trtc_call.items AS i
        WHERE i.state IN ('confirming', 'disputed') AND i.has_record AND i.confirmation IS NULL
          AND i.sdk_app_id = asked.sdk_app_id AND i.due_at > asked.at AND i.due_at <= asked.at + longest
    );
    spent_until := (SELECT a.spent_until FROM trtc_call.apps AS a WHERE a.sdk_app_id = asked.sdk_app_id);
END
$$;

-- Hands out so many of these, by one token, and spends the budget up to a time, unless somebody else has
-- spent of it meanwhile.
CREATE FUNCTION trtc_call.ask(
    version integer, sdk_app_id bigint, new_token bigint, at_most bigint, term interval, longest interval,
    spent_before timestamptz, spent_until timestamptz,
    OUT is_granted boolean, OUT items bigint[], OUT call_ids text[], OUT received_at timestamptz[],
    OUT missing_since timestamptz[], OUT at timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    at := trtc_call.begin_work(version);
    INSERT INTO trtc_call.apps AS a (sdk_app_id, spent_until) VALUES (ask.sdk_app_id, ask.spent_until)
    ON CONFLICT ON CONSTRAINT apps_pkey DO UPDATE SET spent_until = ask.spent_until
    WHERE a.spent_until IS NOT DISTINCT FROM ask.spent_before;
    is_granted := FOUND;
    IF NOT is_granted THEN
        RETURN;
    END IF;
    ids := ARRAY(
        SELECT i.id FROM trtc_call.items AS i
        WHERE i.state IN ('confirming', 'disputed') AND i.has_record AND i.confirmation IS NULL
          AND i.sdk_app_id = ask.sdk_app_id AND i.due_at <= ask.at
        ORDER BY i.due_at, i.id
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    );
    IF cardinality(ids) < at_most THEN
        ids := ids || ARRAY(
            SELECT i.id FROM trtc_call.items AS i
            WHERE i.state IN ('confirming', 'disputed') AND i.has_record AND i.confirmation IS NULL
              AND i.sdk_app_id = ask.sdk_app_id AND i.due_at > ask.at + longest
            ORDER BY i.due_at, i.id
            LIMIT at_most - cardinality(ids)
            FOR UPDATE SKIP LOCKED
        );
    END IF;
    WITH handed_out AS (
        UPDATE trtc_call.items AS i SET token = new_token, due_at = ask.at + term
        WHERE i.id = ANY (ids)
        RETURNING i.id, i.call_id, i.received_at, i.missing_since
    )
    SELECT array_agg(h.id ORDER BY p.place), array_agg(h.call_id ORDER BY p.place),
           array_agg(h.received_at ORDER BY p.place), array_agg(h.missing_since ORDER BY p.place)
    INTO items, call_ids, received_at, missing_since
    FROM handed_out AS h JOIN unnest(ids) WITH ORDINALITY AS p (id, place) ON p.id = h.id;
END
$$;

-- Keeps what came of questions. Says of each whether it was still to be asked. Whoever has a reason why it is
-- given up does not ask again; one that is disputed stays so.
CREATE FUNCTION trtc_call.answer(
    version integer, ids bigint[], tokens bigint[], are_missing boolean[], afters interval[], reasons text[],
    errors text[],
    OUT kept boolean[], OUT at timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    places integer[];
    answered record;
BEGIN
    at := trtc_call.begin_work(version);
    kept := array_fill(false, ARRAY[cardinality(ids)]);
    SELECT array_agg(d.n) INTO places FROM (
        SELECT n FROM generate_series(1, cardinality(ids)) AS n
        JOIN trtc_call.items AS i ON i.id = ids[n]
        WHERE i.id = ANY (ids) AND i.token = tokens[n] AND i.state || '' IN ('confirming', 'disputed')
        FOR UPDATE OF i SKIP LOCKED
    ) AS d;
    FOR answered IN
        UPDATE trtc_call.items AS i
        SET state = CASE WHEN k.is_disputed THEN 'disputed'
                         WHEN reasons[n] IS NULL THEN i.state
                         ELSE 'dead' END,
            due_at = CASE WHEN reasons[n] IS NULL THEN answer.at + afters[n] ELSE i.due_at END,
            -- Not later than now: a clock may have been set back.
            missing_since = CASE WHEN are_missing[n] THEN least(i.missing_since, answer.at)
                                 ELSE i.missing_since END,
            confirmation = coalesce(reasons[n], i.confirmation), last_error = errors[n], token = NULL
        FROM unnest(places) AS n, trtc_call.keys AS k
        WHERE i.id = ids[n] AND k.digest = i.digest
        RETURNING n
    LOOP
        kept[answered.n] := true;
    END LOOP;
END
$$;

-- Makes an owner the one who reconciles an app, unless another one is.
CREATE FUNCTION trtc_call.lead(
    version integer, sdk_app_id bigint, new_owner bigint, term interval, tolerance interval,
    OUT leads boolean, OUT progress text, OUT at timestamptz
)
LANGUAGE plpgsql AS $$
BEGIN
    at := trtc_call.begin_work(version);
    INSERT INTO trtc_call.apps AS a (sdk_app_id, owner, leased_until, lease_term)
    VALUES (lead.sdk_app_id, new_owner, lead.at + term, term)
    ON CONFLICT ON CONSTRAINT apps_pkey
    DO UPDATE SET owner = new_owner, leased_until = lead.at + term, lease_term = term
    WHERE a.owner IS NULL OR a.owner = new_owner OR a.leased_until <= lead.at
       OR a.leased_until > lead.at + a.lease_term + tolerance
    RETURNING a.progress INTO progress;
    leads := FOUND;
END
$$;

-- Keeps how far reconciling got, if the owner is the one who does.
CREATE FUNCTION trtc_call.keep_progress(
    version integer, sdk_app_id bigint, owner bigint, tolerance interval, progress text,
    OUT leads boolean, OUT at timestamptz
)
LANGUAGE plpgsql AS $$
BEGIN
    at := trtc_call.begin_work(version);
    UPDATE trtc_call.apps AS a SET progress = keep_progress.progress
    WHERE a.sdk_app_id = keep_progress.sdk_app_id AND a.owner = keep_progress.owner
      AND a.leased_until > keep_progress.at
      AND a.leased_until <= keep_progress.at + a.lease_term + tolerance;
    leads := FOUND;
END
$$;

-- Removes bodies, records and errors of what is done.
CREATE FUNCTION trtc_call.erase(version integer, ids bigint[], OUT erased bigint[], OUT at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    at := trtc_call.begin_work(version);
    WITH changed AS (
        UPDATE trtc_call.items AS i SET body = NULL, record = NULL, last_error = NULL
        WHERE i.id = ANY (ids) AND i.state = 'done'
        RETURNING i.id
    )
    SELECT coalesce(array_agg(c.id), '{}') INTO erased FROM changed AS c;
END
$$;

-- Removes items and keys that are older than they have to be kept. Keys are locked before items, as
-- everywhere.
CREATE FUNCTION trtc_call.prune(
    version integer, done_for interval, keys_for interval, at_most integer,
    OUT items bigint, OUT keys bigint, OUT at timestamptz
)
LANGUAGE plpgsql AS $$
BEGIN
    at := trtc_call.begin_work(version);
    WITH old AS MATERIALIZED (
        SELECT i.id, i.digest, i.done_as, i.done_at FROM trtc_call.items AS i
        WHERE i.state = 'done' AND i.done_at < prune.at - done_for
        ORDER BY i.done_at LIMIT at_most
    ),
    locked AS MATERIALIZED (
        SELECT k.digest FROM trtc_call.keys AS k WHERE k.digest IN (SELECT o.digest FROM old AS o)
        ORDER BY k.digest FOR UPDATE SKIP LOCKED
    ),
    deleted AS (
        DELETE FROM trtc_call.items AS i USING old AS o, locked AS l
        WHERE i.id = o.id AND l.digest = o.digest AND i.state = 'done'
        RETURNING i.id, i.digest, i.done_as, i.done_at
    ),
    counted AS (
        SELECT d.digest, count(*) AS items,
               (array_agg(d.id ORDER BY d.done_at DESC, d.id DESC)
                   FILTER (WHERE d.done_as = 'handled'))[1] AS handled
        FROM deleted AS d GROUP BY d.digest
    ),
    changed AS (
        UPDATE trtc_call.keys AS k
        SET items = k.items - c.items, pruned_handled = coalesce(c.handled, k.pruned_handled)
        FROM counted AS c WHERE k.digest = c.digest
    )
    SELECT count(*) INTO items FROM deleted;
    WITH deleted AS (
        DELETE FROM trtc_call.keys AS k WHERE k.digest IN (
            SELECT o.digest FROM trtc_call.keys AS o
            WHERE o.items = 0 AND o.last_at < prune.at - keys_for
            ORDER BY o.last_at LIMIT at_most
            FOR UPDATE SKIP LOCKED
        )
        RETURNING 1
    )
    SELECT count(*) INTO keys FROM deleted;
END
$$;
