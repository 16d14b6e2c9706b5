/* Products: how a change that Admin committed reaches the Client's copy. README.md says how to read and run this.
 *
 * A change is a number, counted over both products from 1. It stands for the content that it saved, so two contents
 * are equal if their numbers are. 0 means nothing: no row, no document. Each atomic or d_step block is one
 * transaction, one write of a document, or one read; everything may happen between two blocks. */

/* Bounds; -D sets others. A budget counts how often something may happen in one run; 0 switches it off. */
#ifndef PRODUCTS
#define PRODUCTS 2
#endif
#ifndef WRITES
#define WRITES 2 /* changes, of all products */
#endif
#ifndef RELAYS
#define RELAYS 2
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef LOSSES
#define LOSSES 0 /* messages lost: by the broker, or by a worker whose store does not answer */
#endif
#ifndef REPEATS
#define REPEATS 0 /* messages delivered once more: after a worker's death, or as a replayed dead letter */
#endif
#ifndef PURGES
#define PURGES 0 /* purges of the queue */
#endif
#ifndef CRASHES
#define CRASHES 0 /* kills of a relay or a worker, answers lost */
#endif
#ifndef REFUSALS
#define REFUSALS 0 /* changes that every worker refuses */
#endif
#ifndef EDITS
#define EDITS 0 /* edits of the copy by hand, which leave sequence and stored checksum as they are */
#endif
#ifndef FAILOVERS
#define FAILOVERS 0 /* of the Client's store, which lose what no majority has */
#endif
#ifndef RESYNCS
#define RESYNCS 0 /* calls of the task resync_product */
#endif
#ifndef ADMIN_RESTORES
#define ADMIN_RESTORES 0
#endif
#ifndef CLIENT_RESTORES
#define CLIENT_RESTORES 0
#endif
#ifndef GENERATIONS
#define GENERATIONS 0 /* the highest generation; 0 switches restore detection off */
#endif
#if ADMIN_RESTORES || CLIENT_RESTORES
#define EPOCHS 3
#else
#define EPOCHS 1
#endif
#define CHECKED (EDITS || ADMIN_RESTORES || CLIENT_RESTORES) /* whether the scheduled comparison runs */

#define CHANGES (WRITES + 1)
#define STEP (WRITES + 1) /* stands for 2^40: a product has at most WRITES versions */
#define FRESH 0
#define SENT 1 /* also stands for stuck: the two differ in their next due time alone, and time is not modelled */
#define VERIFIED 2
#define TAKEN 3 /* only where a mutant takes rows out of the outbox */
#define NO_ALARM 0
#define ALARM_ADMIN 1
#define ALARM_CLIENT 2
#define ANYTHING 255 /* acknowledged, after a recovery */

/* What each change saved. Fixed once made, so no process needs a copy. */
byte product_of[CHANGES], version_of[CHANGES];
bit deletes[CHANGES], refusable[CHANGES], committed[CHANGES];
byte changes;

/* Admin's database */
typedef AdminStore {
    byte product[PRODUCTS];  /* products: the change that the row holds; its content and version */
    byte sequence[PRODUCTS]; /* the outbox */
    byte state[PRODUCTS];
    bit last_error[PRODUCTS];
    byte epoch;
    byte raised, acknowledged, alarm /* sync_generations */
};
AdminStore admin;

/* The Client's database */
typedef ClientStore {
    byte sequence[PRODUCTS]; /* the copy; 0: no document */
    byte content[PRODUCTS];  /* the change; also the stored checksum */
    bit edited[PRODUCTS];    /* the content is no longer that of the change */
    byte refused[PRODUCTS];  /* sync_failures: the refused sequence */
    byte generation, epoch   /* sync_generations */
};
ClientStore client;

#if FAILOVERS
ClientStore majority; /* what a majority has */
#else
#define majority client
#endif

#if ADMIN_RESTORES
AdminStore admin_backup;
bit admin_backed_up;
#endif
#if CLIENT_RESTORES
ClientStore client_backup;
bit client_backed_up;
#endif

#if PRODUCTS == 1
#define COPY(to, from, field) to.field[0] = from.field[0]
#else
#define COPY(to, from, field) to.field[0] = from.field[0]; to.field[1] = from.field[1]
#endif
#define COPY_ADMIN(to, from) \
    COPY(to, from, product); COPY(to, from, sequence); COPY(to, from, state); COPY(to, from, last_error); \
    to.epoch = from.epoch; to.raised = from.raised; to.acknowledged = from.acknowledged; to.alarm = from.alarm
#define COPY_CLIENT(to, from) \
    COPY(to, from, sequence); COPY(to, from, content); COPY(to, from, edited); COPY(to, from, refused); \
    to.generation = from.generation; to.epoch = from.epoch

/* The broker: the set of messages on their way. A message is a change in an epoch. A set has no order, and a message
 * may stay for any time, so reordering and delay need no step of their own. */
int queue;
int offered; /* the eager publisher's own queue, in the memory of the web process */
#define MESSAGE(epoch, change) ((epoch) * CHANGES + (change))
#define BIT(message) (1 << (message))
#define SEQUENCE(epoch, change) ((epoch) * STEP + version_of[change])
#define EPOCH_OF(sequence) ((sequence) / STEP)

byte losses = LOSSES, repeats = REPEATS, purges = PURGES, crashes = CRASHES, refusals = REFUSALS;
byte edits = EDITS, failovers = FAILOVERS, resyncs = RESYNCS;
byte admin_restores = ADMIN_RESTORES, client_restores = CLIENT_RESTORES;

/* For the properties alone; no process reads these. */
bit restored[PRODUCTS];  /* a store was restored, and no recovery has sent the product again */
byte highest[PRODUCTS];  /* the highest sequence that the copy had */
byte busy_relays, busy_workers;
byte next_due; /* the row that was due first: a claim moves it behind the other */
#if GENERATIONS
byte highest_raised;
bit was_restored, must_alarm; /* the generations show that a store was restored */
byte calls; /* questions under way to the Client */
#endif

#define SAME(a, b) ((a) == (b) || ((a) && (b) && deletes[a] && deletes[b])) /* all tombstones have one content */
#define EQUAL(p) (client.sequence[p] == admin.sequence[p] && SAME(client.content[p], admin.product[p]) && \
                  !client.edited[p])
/* in sync, or refused with the reason shown; a product that Admin no longer has is for `sync diff` */
#define SETTLED(p) (admin.product[p] == 0 || (admin.state[p] == VERIFIED && EQUAL(p)) || admin.last_error[p])
#if PRODUCTS == 1
#define IN_SYNC (admin.alarm == NO_ALARM && SETTLED(0))
#define ANY_DUE (admin.state[0] < VERIFIED && admin.product[0])
#else
#define IN_SYNC (admin.alarm == NO_ALARM && SETTLED(0) && SETTLED(1))
#define ANY_DUE ((admin.state[0] < VERIFIED && admin.product[0]) || (admin.state[1] < VERIFIED && admin.product[1]))
#endif

/* Safety. Called after each step that changes the copy or the state of a row. */
inline check(p) {
    /* verified implies equal */
    assert(admin.state[p] != VERIFIED || restored[p] || client.edited[p] || !admin.product[p] || EQUAL(p))
}

/* Write one document of the copy. */
inline write_copy(p, new_sequence, new_content) {
    assert(committed[new_content]); /* the shop never shows what was not saved */
    /* the copy never goes back; so a deleted product never shows again */
    assert(new_sequence >= highest[p] || restored[p]);
    client.sequence[p] = new_sequence;
    client.content[p] = new_content;
    client.edited[p] = 0;
    highest[p] = new_sequence;
#ifdef TOMBSTONES_REMOVED
    if
    :: deletes[new_content] -> client.sequence[p] = 0; client.content[p] = 0; highest[p] = new_sequence
    :: else
    fi;
#endif
#if !FAILOVERS && !defined(TOMBSTONES_REMOVED)
    check(p)
#endif
}

/* Choose any message of a set. */
inline choose(set, message) {
    message = 0;
    do
    :: set & BIT(message) -> break
    :: set >> (message + 1) -> message++
    od
}

/* admin/catalogue/service.py: create, update, delete and restore a product, for any number of editors. Each is one
 * transaction, which admin/outbox/outbox.py joins: product, version, outbox row. */
proctype Writer() {
    byte p, c, e;
end:
    do
    :: atomic {
            changes < WRITES ->
            changes++; c = changes;
            if
            :: p = 0
#if PRODUCTS > 1
            :: p = 1
#endif
            fi;
            product_of[c] = p;
            if
            :: admin.product[p] && !deletes[admin.product[p]] -> deletes[c] = 1
            :: deletes[c] = 0
            fi;
            if
            :: refusals && !deletes[c] -> refusals--; refusable[c] = 1
            :: refusable[c] = 0
            fi;
            e = admin.epoch; /* begin_write: locks the epoch until the commit */
#ifdef PUBLISHED_BEFORE_COMMIT
            version_of[c] = version_of[admin.product[p]] + 1;
            offered = offered | BIT(MESSAGE(e, c));
            printf("@Admin web>Eager publisher: offer product %d version %d, before the commit\n", p, version_of[c])
        }
        atomic {
#endif
#ifdef EPOCH_NOT_LOCKED
            skip
        }
        atomic {
#endif
            version_of[c] = version_of[admin.product[p]] + 1;
            /* an outbox row never goes back */
            assert(SEQUENCE(e, c) > admin.sequence[p] || restored[p]);
            admin.product[p] = c;
            committed[c] = 1;
            printf("@Admin web>Admin database: commit product %d version %d, deleted: %d\n", p, version_of[c],
                   deletes[c]);
#ifdef OUTBOX_IN_A_SECOND_TRANSACTION
            skip
        }
        if
        :: crashes -> crashes--; printf("@Admin web>Admin web: killed\n"); break
        :: else
        :: skip
        fi;
        atomic {
#endif
            admin.sequence[p] = SEQUENCE(e, c);
            admin.state[p] = FRESH;
            admin.last_error[p] = 0;
#ifndef PUBLISHED_BEFORE_COMMIT
            if
            :: offered = offered | BIT(MESSAGE(e, c)) /* eager_publisher.offer */
            :: skip /* dropped: the broker is down, its queue is long, or the process dies */
            fi;
#endif
            p = 0; c = 0; e = 0
        }
#ifdef LIVENESS
    :: break /* any number of changes up to the bound */
#endif
    od
}

/* admin/outbox/eager_publisher.py: publishes this process's own changes. What it drops was never offered here. */
proctype EagerPublisher() {
    byte m;
end:
    do
    :: atomic {
            offered ->
            choose(offered, m);
            offered = offered & ~BIT(m);
            queue = queue | BIT(m);
            printf("@Eager publisher>Broker: publish product %d version %d\n", product_of[m % CHANGES],
                   version_of[m % CHANGES]);
            m = 0
        }
    od
}

#if GENERATIONS
/* client/replica/state.py: a compare-and-set */
inline exchange_generations(raised, acknowledged, known) {
    known = client.generation;
    if
#ifdef GENERATION_STORED_AT_ONCE
    :: raised > known -> client.generation = raised
#else
    :: raised > known && (acknowledged == ANYTHING || acknowledged == known) -> client.generation = raised
#endif
    :: else
    fi;
    printf("@Admin>Client web: ask with generation %d; it had %d\n", raised, known)
}

/* restore_detection._compare */
inline compare(raised, acknowledged, known) {
    if
    :: acknowledged != ANYTHING && known < acknowledged -> admin.alarm = ALARM_CLIENT
    :: known > admin.raised || (acknowledged != ANYTHING && acknowledged < known && known < raised) ->
        admin.alarm = ALARM_ADMIN
    :: else ->
        if
        :: admin.alarm == NO_ALARM && (admin.acknowledged == ANYTHING || admin.acknowledged < raised) ->
            admin.acknowledged = raised
        :: else
        fi
    fi;
    assert(admin.alarm == NO_ALARM || was_restored); /* no false alarm */
    if
    :: admin.alarm != NO_ALARM -> must_alarm = 0
    :: else
    fi
}
#endif

#define ARRIVED (their_s == s && (their_c == 255 -> 0 : SAME(their_c, c)))
#if GENERATIONS
#define FORGET busy_relays--; p = 0; s = 0; c = 0; their_s = 0; their_c = 0; their_failure = 0; fresh = 0; \
               raised = 0; acknowledged = 0; known = 0; alarmed = 0
#else
#define FORGET p = 0; s = 0; c = 0; their_s = 0; their_c = 0; their_failure = 0; fresh = 0
#endif

/* admin/relay: loop.py, claims.py, restore_detection.py, verify.py; admin/outbox/repair.py. A kill or a lost answer
 * forgets what this relay knows: FORGET. */
proctype Relay(byte me) {
    byte p, s, c;         /* the claimed row */
    byte their_s, their_c; /* the Client's answer: sequence and content; content 255: edited */
    bit their_failure, fresh;
#if GENERATIONS
    byte raised, acknowledged, known;
    bit alarmed;
#endif

end_idle:
    atomic { /* claims.claim. It commits first, so the row is due again if the relay dies. */
        ANY_DUE ->
#if GENERATIONS
        busy_relays++;
#endif
        p = next_due;
        if
        :: admin.state[p] >= VERIFIED || !admin.product[p] -> p = 1 - p
        :: else
        fi;
        next_due = (PRODUCTS > 1 -> 1 - p : 0);
        s = admin.sequence[p]; c = admin.product[p];
        fresh = (admin.state[p] == FRESH);
        admin.state[p] = SENT;
#ifdef CLAIM_TAKES_THE_ROW
        admin.state[p] = TAKEN;
#endif
        printf("@Relay %d>Admin database: claim product %d version %d\n", me, p, version_of[c]);
        if
#if CRASHES
        :: crashes -> crashes--; printf("@Relay %d>Relay %d: killed\n", me, me); FORGET; goto end_idle
#endif
        :: fresh -> goto send /* _verify_first: a backlog is sent without asking */
        :: skip
        fi
    }

#if GENERATIONS
    atomic { /* restore_detection._raise */
        if
        :: admin.raised == admin.acknowledged && highest_raised + 2 <= GENERATIONS ->
            /* a random step: never a generation that was sent before, and below the Client's or above */
            if
            :: was_restored && !(admin.raised & 1) -> admin.raised++
            :: admin.raised = highest_raised + 2
            fi;
            highest_raised = (admin.raised > highest_raised -> admin.raised : highest_raised)
        :: else
        fi;
        raised = admin.raised; acknowledged = admin.acknowledged; alarmed = (admin.alarm != NO_ALARM);
#ifdef ACKNOWLEDGED_WHEN_SENT
        admin.acknowledged = raised;
#endif
        printf("@Relay %d>Admin database: generation %d, acknowledged %d\n", me, raised, acknowledged);
        if
#if CRASHES
        :: crashes -> crashes--; printf("@Relay %d>Client web: the question is lost\n", me); goto unanswered
#endif
        :: calls++
        fi
    }
    atomic { exchange_generations(raised, acknowledged, known); calls-- }
#endif
    atomic { /* client/replica/state.py: replica_states, read with majority concern */
#ifdef VERIFIED_BY_LOCAL_READ
        their_s = client.sequence[p]; their_c = client.content[p];
#else
        their_s = majority.sequence[p]; their_c = majority.content[p];
#endif
#ifndef VERIFIED_BY_STORED_CHECKSUM
        if
        :: majority.edited[p] -> their_c = 255
        :: else
        fi;
#endif
        their_failure = (client.refused[p] && client.refused[p] == s);
        printf("@Client web>Relay %d: product %d has version %d\n", me, p, their_s % STEP);
#if GENERATIONS
        if
#if CRASHES
        :: crashes -> crashes--; printf("@Client web>Relay %d: the answer is lost\n", me);
unanswered: /* a row that was sent waits; a fresh one is sent all the same */
            if
            :: fresh -> goto send
            :: else -> FORGET; goto end_idle
            fi
#endif
        :: skip
        fi
#endif
    }
#if GENERATIONS
    atomic { /* restore_detection._compare */
        if
        :: alarmed
        :: else -> compare(raised, acknowledged, known); alarmed = (admin.alarm != NO_ALARM)
        fi;
        if
        :: alarmed ->
            printf("@Relay %d>Admin database: alarm\n", me);
            if
            :: fresh -> goto send
            :: else -> FORGET; goto end_idle
            fi
        :: else
        fi
    }
#endif
    atomic { /* verify: _mark_verified, _record_reasons, where the row still has the sequence */
        if
#ifndef MARKED_WITHOUT_SEQUENCE
        :: admin.sequence[p] != s
#endif
        :: else ->
            if
            :: ARRIVED ->
                admin.state[p] = VERIFIED;
                printf("@Relay %d>Admin database: product %d is verified\n", me, p);
                check(p)
            :: else -> admin.last_error[p] = their_failure
            fi
        fi;
        if
        :: ARRIVED -> FORGET; goto end_idle
        :: !ARRIVED && their_s >= s -> goto repair
        :: their_s < s && !fresh && queue -> FORGET; goto end_idle /* nothing is sent again while the queue has messages */
        :: their_s < s && (fresh || !queue) -> goto send
        fi
    }

repair: /* admin/outbox/repair.py: no message would change this copy */
    atomic { /* current_messages */
        s = admin.sequence[p]; c = admin.product[p];
        printf("@Relay %d>Client web: repair product %d to version %d\n", me, p, version_of[c])
    }
    atomic { /* client/replica/repair.py: the write names the copy that was seen */
        if
#ifdef REPAIRED_WITHOUT_COMPARING
        :: 1 ->
#else
        :: client.sequence[p] == their_s &&
           (their_c == 255 -> client.edited[p] : client.content[p] == their_c && !client.edited[p]) ->
#endif
            printf("@Client web>Client store: replace product %d by version %d\n", p, version_of[c]);
            write_copy(p, s, c)
        :: else
        fi;
        FORGET;
        goto end_idle
    }

send: /* _send, _resend */
    atomic { /* catalogue/messages.py, current_messages: state and sequence from one statement */
        c = admin.product[p];
#ifdef STATE_AND_SEQUENCE_APART
        skip
    }
    atomic {
#endif
        s = admin.sequence[p];
        fresh = 0; their_s = 0; their_c = 0; their_failure = 0
    }
    atomic {
        if
#if CRASHES
        :: crashes -> crashes--; printf("@Relay %d>Relay %d: killed\n", me, me)
#endif
        :: assert(s == SEQUENCE(EPOCH_OF(s), c)); /* a message's sequence is that of its content */
            queue = queue | BIT(MESSAGE(EPOCH_OF(s), c));
            printf("@Relay %d>Broker: publish product %d version %d\n", me, p, version_of[c]);
#ifdef VERIFIED_WHEN_PUBLISHED
            if
            :: admin.sequence[p] == s -> admin.state[p] = VERIFIED;
                printf("@Relay %d>Admin database: product %d is verified\n", me, p); check(p)
            :: else
            fi
#endif
        fi;
        FORGET;
        goto end_idle
    }
}

#define WRITE \
    printf("@Worker %d>Client store: write product %d version %d\n", me, p, version_of[c]); \
    write_copy(p, s, c)
#if CLIENT_RESTORES
#define ACKNOWLEDGE busy_workers--; m = 0; p = 0; s = 0; c = 0; stored = 0
#else
#define ACKNOWLEDGE m = 0; p = 0; s = 0; c = 0; stored = 0
#endif

/* tasks/products.py, client/replica/apply.py, client/replica/failures.py. */
proctype Worker(byte me) {
    byte m, p, s, c, stored;
    bit again;

end_idle:
    atomic {
        queue ->
        choose(queue, m);
        c = m % CHANGES;
        p = product_of[c];
        s = SEQUENCE(m / CHANGES, c);
        if
        :: queue = queue & ~BIT(m); printf("@Broker>Worker %d: deliver product %d version %d\n", me, p, version_of[c])
#if REPEATS
        :: repeats -> repeats--;
            printf("@Broker>Worker %d: deliver product %d version %d, and again later\n", me, p, version_of[c])
#endif
#if LOSSES
        :: losses -> losses--; queue = queue & ~BIT(m); printf("@Broker>Broker: lose product %d version %d\n", p, version_of[c]);
            m = 0; p = 0; s = 0; c = 0; goto end_idle
#endif
#if PURGES
        :: purges -> purges--; queue = 0; printf("@Broker>Broker: the queue is purged\n");
            m = 0; p = 0; s = 0; c = 0; goto end_idle
#endif
        fi;
#if CLIENT_RESTORES
        busy_workers++;
#endif
#if REFUSALS
        if
        :: refusable[c] -> goto refuse
        :: else
        fi
#endif
    }
    d_step { stored = client.sequence[p] } /* apply._plan */
    d_step { /* apply.write: an insert or an upsert */
        if
#ifdef NO_VERSION_GUARD
        :: 1 -> WRITE
#else
        :: stored >= s /* old */
#ifdef VERSION_GUARD_READ_BEFORE
        :: stored < s -> WRITE
#else
        :: stored < s && client.sequence[p] < s && (stored || !client.sequence[p]) -> WRITE
        :: stored && stored < s && client.sequence[p] >= s /* no longer older */
        :: !stored && client.sequence[p] -> again = 1 /* a duplicate key: inserted meanwhile */
#endif
#endif
        fi
    }
    atomic {
        if
        :: again -> /* without upsert */
            again = 0;
            if
            :: client.sequence[p] < s -> WRITE
            :: else
            fi
        :: else
        fi;
#if CRASHES
        if
        :: crashes -> crashes--; printf("@Worker %d>Worker %d: killed\n", me, me); queue = queue | BIT(m)
        :: skip
        fi;
#endif
#if REFUSALS
        if /* failures.clear */
        :: client.refused[p] && client.refused[p] <= s -> client.refused[p] = 0
        :: else
        fi;
#endif
        ACKNOWLEDGE;
        goto end_idle
    }
#if REFUSALS
refuse: /* failures.record */
    atomic {
        if
        :: client.refused[p] <= s -> client.refused[p] = s; printf("@Worker %d>Client store: refuse product %d version %d\n", me, p, version_of[c])
        :: else
        fi
    }
    atomic { /* _delete_outdated: after the write, to see what was applied meanwhile */
        if
        :: client.refused[p] <= client.sequence[p] -> client.refused[p] = 0
        :: else
        fi;
        ACKNOWLEDGE;
        goto end_idle
    }
#endif
}

#if CHECKED
#define DRIFTED(p) (admin.state[p] == VERIFIED && admin.product[p] && !EQUAL(p))
/* admin/reconcile/check.py: compares the stores. What differs twice, while no pending row explains it, is drift: its row
 * becomes pending. A comparison that finds nothing changes nothing, so it is not a step. */
proctype Check() {
    byte p, seen;
end_idle:
    atomic { /* compare_next: a suspect */
        if
        :: DRIFTED(0) -> p = 0
#if PRODUCTS > 1
        :: DRIFTED(1) -> p = 1
#endif
        fi;
        seen = admin.sequence[p]
    }
    atomic { /* _recheck, _resync: where the row is as it was read */
        if
        :: DRIFTED(p) && admin.sequence[p] == seen -> admin.state[p] = FRESH;
            printf("@Check>Admin database: product %d drifted: make its row pending\n", p)
        :: else
        fi;
        p = 0; seen = 0;
        goto end_idle
    }
}
#endif

#if RESYNCS
/* client/replica/resync.py: an operator makes a copy equal to Admin's state. */
proctype Resync() {
    byte p, s, c, seen_s, seen_c;
    do
    :: resyncs ->
        resyncs--;
        if
        :: p = 0
#if PRODUCTS > 1
        :: p = 1
#endif
        fi;
#ifndef RESYNC_READS_COPY_AFTER_ADMIN
        atomic { seen_s = client.sequence[p]; seen_c = (client.edited[p] -> 255 : client.content[p]);
                 printf("@Worker>Client store: resync reads product %d version %d\n", p, seen_s % STEP) }
#endif
        atomic { s = admin.sequence[p]; c = admin.product[p];
                 printf("@Worker>Admin web: resync asks for product %d; the answer is version %d\n", p, version_of[c]) }
#ifdef RESYNC_READS_COPY_AFTER_ADMIN
        atomic { seen_s = client.sequence[p]; seen_c = (client.edited[p] -> 255 : client.content[p]) }
#endif
        if
        :: c ->
            d_step { /* apply */
                if
                :: client.sequence[p] < s -> write_copy(p, s, c)
                :: else
                fi
            }
            d_step { /* _repair: only the copy that was seen, and only if it is not older than the answer */
                if
                :: seen_s >= s && seen_s && !(seen_s == s && (seen_c == 255 -> 0 : SAME(seen_c, c))) &&
                   client.sequence[p] == seen_s && client.edited[p] == (seen_c == 255) ->
                    printf("@Worker>Client store: resync replaces product %d by version %d\n", p, version_of[c]);
                    write_copy(p, s, c)
                :: else
                fi
            }
        :: else
        fi;
        p = 0; s = 0; c = 0; seen_s = 0; seen_c = 0
    :: break
    od
}
#endif

/* What goes wrong around the processes. Each fault has a budget, and need not happen. */
proctype Faults() {
    byte p;
    do
#if EDITS
    :: atomic {
            edits ->
            if
            :: p = 0
#if PRODUCTS > 1
            :: p = 1
#endif
            fi;
            if
            :: client.sequence[p] && !client.edited[p] -> edits--; client.edited[p] = 1;
                printf("@Operator>Client store: edit product %d by hand\n", p)
            :: else
            fi;
            p = 0
        }
#endif
#if FAILOVERS
    :: atomic { client.sequence[0] != majority.sequence[0] -> majority.sequence[0] = client.sequence[0]; majority.content[0] = client.content[0] }
    :: atomic { failovers -> failovers--; client.sequence[0] = majority.sequence[0]; client.content[0] = majority.content[0];
                highest[0] = client.sequence[0]; printf("@Client store>Client store: failover\n"); check(0) }
#endif
#if ADMIN_RESTORES
    :: d_step { admin_restores && !admin_backed_up -> admin_backed_up = 1; COPY_ADMIN(admin_backup, admin);
                printf("@Operator>Admin database: back up\n") }
    :: d_step { /* Admin's processes are stopped during the restore */
            admin_restores && admin_backed_up && busy_relays == 0 && calls == 0 ->
            admin_restores--; COPY_ADMIN(admin, admin_backup); offered = 0; was_restored = 1; restored[0] = 1;
            must_alarm = (client.generation > admin.raised);
#if PRODUCTS > 1
            restored[1] = 1;
#endif
            printf("@Operator>Admin database: restore the backup\n")
        }
#endif
#if CLIENT_RESTORES
    :: d_step { client_restores && !client_backed_up -> client_backed_up = 1; COPY_CLIENT(client_backup, client);
                printf("@Operator>Client store: back up\n") }
    :: d_step { /* the Client's processes are stopped during the restore */
            client_restores && client_backed_up && busy_workers == 0 && calls == 0 ->
            client_restores--; COPY_CLIENT(client, client_backup); was_restored = 1; restored[0] = 1;
            must_alarm = (admin.acknowledged != ANYTHING && client.generation < admin.acknowledged);
            highest[0] = client.sequence[0];
#if PRODUCTS > 1
            restored[1] = 1; highest[1] = client.sequence[1];
#endif
            printf("@Operator>Client store: restore the backup\n")
        }
#endif
    :: break
    od
}

#if ADMIN_RESTORES || CLIENT_RESTORES
/* admin/maintenance.py asks for no product every few seconds, so that an idle Admin detects a restore too. An answer that
 * detects nothing changes nothing, so it is not a step before a restore. */
proctype Maintenance() {
    byte raised, acknowledged, known;
end_idle:
    atomic {
        must_alarm && admin.alarm == NO_ALARM ->
        raised = admin.raised; acknowledged = admin.acknowledged;
        exchange_generations(raised, acknowledged, known);
        if
#if CRASHES
        :: crashes -> crashes--; printf("@Client web>Admin: the answer is lost\n")
#endif
        :: compare(raised, acknowledged, known)
        fi;
        raised = 0; acknowledged = 0; known = 0;
        goto end_idle
    }
}

/* An operator who reads the alarm and runs `lockstep sync recover`: admin/relay/recovery.py. */
proctype Operator() {
    byte p, e, known;
end:
    do
    :: admin.alarm != NO_ALARM ->
        d_step { /* the highest epoch of the Client's copies */
            e = EPOCH_OF(client.sequence[0]);
#if PRODUCTS > 1
            e = (EPOCH_OF(client.sequence[1]) > e -> EPOCH_OF(client.sequence[1]) : e);
#endif
            printf("@Operator>Client web: recover: which epoch?\n")
        }
        d_step { /* _raise_epoch */
            assert(admin.epoch + 1 < EPOCHS); /* else the bound is too small */
#ifdef EPOCH_NOT_RAISED
            e = admin.epoch;
#else
            e = (admin.epoch > e -> admin.epoch : e) + 1;
#endif
            admin.epoch = e;
            printf("@Operator>Admin database: epoch %d\n", e)
        }
        d_step { known = client.generation; client.epoch = (e > client.epoch -> e : client.epoch) }
        do
        :: p < PRODUCTS ->
            atomic { /* _renumber */
                if
                :: admin.product[p] && (EPOCH_OF(admin.sequence[p]) < e || !e) ->
                    admin.sequence[p] = SEQUENCE(e, admin.product[p]);
                    admin.state[p] = FRESH; admin.last_error[p] = 0
                :: else
                fi;
                restored[p] = 0;
                p++
            }
        :: else -> break
        od;
        atomic { /* _end_alarm */
            admin.raised = (known > admin.raised -> known : admin.raised);
            admin.acknowledged = ANYTHING;
            admin.alarm = NO_ALARM;
            printf("@Operator>Admin database: recovered\n");
            p = 0; e = 0; known = 0
        }
    od
}
#endif

init {
    atomic {
        run Writer();
        run EagerPublisher();
        run Relay(1);
#if RELAYS > 1
        run Relay(2);
#endif
        run Worker(1);
#if WORKERS > 1
        run Worker(2);
#endif
#if CHECKED
        run Check();
#endif
#if RESYNCS
        run Resync();
#endif
#if EDITS || FAILOVERS || ADMIN_RESTORES || CLIENT_RESTORES
        run Faults();
#endif
#if ADMIN_RESTORES || CLIENT_RESTORES
        run Operator();
        run Maintenance();
#endif
    }
}

/* Liveness: whatever happened, in the end every committed change is verified, or refused with its reason shown. */
#ifdef LIVENESS
#if GENERATIONS
ltl in_sync { [] <> (IN_SYNC && !must_alarm) }
#else
ltl in_sync { [] <> IN_SYNC }
#endif
#endif
