/* Likes: how a shopper's like is counted by the Client, forwarded to Admin and counted there. README.md says how to
 * read and run this. One product. Each atomic or d_step block is one transaction, one write of a document, or one
 * read; everything may happen between two blocks. */

/* Bounds; -D sets others. A budget counts how often something may happen in one run; 0 switches it off. */
#ifndef CLICKS
#define CLICKS 2 /* changes of likes, by all tabs */
#endif
#ifndef TABS
#define TABS 2 /* open pages of the first shopper */
#endif
#ifndef SHOPPERS
#define SHOPPERS 2
#endif
#ifndef COUNTERS
#define COUNTERS 1 /* processes that count */
#endif
#ifndef DRAINS
#define DRAINS 2
#endif
#ifndef EXPIRIES
#define EXPIRIES 1 /* leases that expire while their holder still runs */
#endif
#ifndef LOSSES
#define LOSSES 1 /* answers lost after Admin applied the likes; kills of a drain */
#endif
#ifndef REPEATS
#define REPEATS 0 /* calls that reach Admin twice */
#endif
#ifndef ERASURES
#define ERASURES 0 /* of the first shopper's account */
#endif
#ifndef ADMIN_RESTORES
#define ADMIN_RESTORES 0
#endif
#ifndef CLIENT_RESTORES
#define CLIENT_RESTORES 0
#endif
#define RESTORES (ADMIN_RESTORES || CLIENT_RESTORES)

/* The Client's database: one document per shopper, and the product's count. */
typedef ClientStore {
    bit exists[SHOPPERS], liked[SHOPPERS], pending[SHOPPERS], uncounted[SHOPPERS], counted[SHOPPERS], is_restored[SHOPPERS];
    byte revision[SHOPPERS], at[SHOPPERS];
    short likes
};
ClientStore client;

/* Admin's database */
typedef AdminStore {
    bit liked[SHOPPERS];
    byte revision[SHOPPERS], received_at[SHOPPERS]; /* revision 0: no row */
    short likes
};
AdminStore admin;

#if CLIENT_RESTORES
ClientStore client_backup;
bit client_backed_up;
#endif
#if ADMIN_RESTORES
AdminStore admin_backup;
bit admin_backed_up, epoch; /* as the Client knows it */
#endif
bit resend; /* a recovery has begun and likes are to be sent again (client/likes/recovery.py) */

byte clicks, expiries = EXPIRIES, losses = LOSSES, repeats = REPEATS;
byte admin_restores = ADMIN_RESTORES, client_restores = CLIENT_RESTORES;
byte count_lease, forward_lease; /* who has it; 0: free */
byte busy;                       /* steps under way in the Client's processes, which a restore waits for */
bit erased, signed_in = 1;
byte late_requests; /* requests of the erased shopper that were signed in before */
bit announced;      /* by L1's background thread */

/* For the properties alone. */
bit wanted[SHOPPERS];            /* what the shopper clicked last */
bit clicked_since_restore[SHOPPERS];

/* Time is counted in clicks: a like changes at 2, 4, 6…, and Admin receives it in between. */
#define NOW (2 * clicks)

#if SHOPPERS > 1
#define SUM(store, field) (store.field[0] + store.field[1])
#else
#define SUM(store, field) (store.field[0])
#endif
#define EACH(u) (u < SHOPPERS)
#define SAME(u) (!client.pending[u] && !client.uncounted[u] && client.counted[u] == client.liked[u] && \
                 client.revision[u] == admin.revision[u] && client.liked[u] == admin.liked[u] && \
                 (client.liked[u] == wanted[u] || !clicked_since_restore[u]))
#define IN_SYNC (SAME(0) && SAME(SHOPPERS - 1) && client.likes == SUM(client, liked) && \
                 admin.likes == SUM(admin, liked) && !(erased && client.liked[0]) && !resend)

/* Safety: each count is the size of its own set, so a shopper counts at most once and no count is negative. */
inline check() {
    assert(client.likes == SUM(client, counted));
    assert(admin.likes == SUM(admin, liked))
}

/* client/likes/documents.py: changed */
inline change(u, to, to_revision) {
    assert(to_revision > client.revision[u]); /* a change never replaces one that it did not see */
    client.exists[u] = 1; client.liked[u] = to; client.revision[u] = to_revision; client.at[u] = NOW;
    client.pending[u] = 1; client.uncounted[u] = 1; client.is_restored[u] = 0;
    wanted[u] = to; clicked_since_restore[u] = 1; announced = 1
}

/* L1, client/likes/service.py: one page of one shopper. Only a real change makes a revision. */
proctype Tab(byte u) {
    bit to;
    byte revision;
end_idle:
    atomic {
        clicks < CLICKS && (u || signed_in) ->
        clicks++;
#ifdef LIKE_READ_BEFORE_WRITE
        to = !client.liked[u]; revision = client.revision[u];
        busy++
    }
    atomic {
        busy--;
        change(u, to, revision + 1);
#else
        to = !client.liked[u];
#if ERASURES
        if
        :: u == 0 -> late_requests++; goto late /* the account is read first, then the like is written */
        :: else
        fi;
#endif
        change(u, to, client.revision[u] + 1);
#endif
        printf("@Shopper %d>Client store: set liked to %d, revision %d\n", u, to, client.revision[u]);
        to = 0; revision = 0;
        goto end_idle
    }
#if ERASURES
late:
    atomic {
        late_requests--;
        if
        :: client.liked[u] != to -> change(u, to, client.revision[u] + 1); printf("@Shopper %d>Client store: set liked to %d, revision %d\n", u, to, client.revision[u])
        :: else
        fi;
        to = 0;
        goto end_idle
    }
#endif
}

#if ERASURES
/* client/accounts/erasure.py: deletes the account, then takes its likes back; forward_likes resumes it until no request
 * that was signed in before can be under way. */
proctype Erasure() {
end_idle:
    atomic { !erased -> erased = 1; signed_in = 0; printf("@Shopper 0>Client store: erase the account\n") }
    do
    :: atomic { client.liked[0] -> change(0, 0, client.revision[0] + 1); printf("@Client web>Client store: take the like back, revision %d\n", client.revision[0]) }
#ifdef ERASED_ONCE
    :: atomic { !client.liked[0] -> break }
#else
    :: atomic { !client.liked[0] && !late_requests -> break }
#endif
    od
}
#endif

/* L3, client/likes/count.py: in the web process and in the sweep. The lease only saves work. */
proctype Counter(byte me) {
    bit reads[SHOPPERS], liked[SHOPPERS], was_counted[SHOPPERS];
    byte revision[SHOPPERS], u;
    bit changed_meanwhile;
end_idle:
    atomic { /* wait_for_lease, and _uncounted: read a batch */
        (client.uncounted[0] || client.uncounted[SHOPPERS - 1]) && (!count_lease || expiries) ->
        if
        :: count_lease -> expiries--; printf("@Counter %d>Client store: the other's lease has expired\n", me)
        :: else
        fi;
        count_lease = me; busy++;
        do
        :: EACH(u) ->
            reads[u] = client.uncounted[u];
            if
            :: reads[u] -> revision[u] = client.revision[u]; liked[u] = client.liked[u]; was_counted[u] = client.counted[u];
                printf("@Counter %d>Client store: read shopper %d: liked %d, revision %d\n", me, u, liked[u], revision[u])
            :: else
            fi;
            u++
        :: else -> break
        od;
        u = 0
    }
    atomic { /* _apply: one transaction. It names the state that was read, and aborts if another was written. */
        do
        :: EACH(u) ->
            if
#ifdef COUNTED_WITHOUT_REVISION
            :: reads[u] && !client.uncounted[u] -> changed_meanwhile = 1
#elif defined(COUNTED_UNDER_THE_LEASE_ALONE)
            :: 0
#else
            :: reads[u] && (!client.uncounted[u] || client.revision[u] != revision[u]) -> changed_meanwhile = 1
#endif
            :: else
            fi;
            u++
        :: else -> break
        od;
        u = 0;
        do
        :: EACH(u) && !changed_meanwhile ->
            if
            :: reads[u] -> client.counted[u] = liked[u]; client.uncounted[u] = 0;
#ifndef COUNTED_IN_TWO_WRITES
                client.likes = client.likes + liked[u] - was_counted[u];
#endif
                printf("@Counter %d>Client store: count shopper %d as %d\n", me, u, liked[u])
            :: else
            fi;
            u++
        :: else -> break
        od;
        u = 0;
#ifdef COUNTED_IN_TWO_WRITES
    }
    if
    :: losses -> losses--; printf("@Counter %d>Counter %d: killed\n", me, me); changed_meanwhile = 1
    :: skip
    fi;
    atomic {
        do
        :: EACH(u) && !changed_meanwhile ->
            if
            :: reads[u] -> client.likes = client.likes + liked[u] - was_counted[u]
            :: else
            fi;
            u++
        :: else -> break
        od;
        u = 0;
#else
        check();
#endif
        do /* forget the batch, release the lease */
        :: EACH(u) -> reads[u] = 0; liked[u] = 0; was_counted[u] = 0; revision[u] = 0; u++
        :: else -> break
        od;
        u = 0; changed_meanwhile = 0; busy--;
        if
        :: count_lease == me -> count_lease = 0
        :: else
        fi;
        goto end_idle
    }
}

#define APPLIED 1
#ifdef SUPERSEDED_TAKEN_AS_APPLIED
#define TAKEN_AS_APPLIED 1
#else
#define TAKEN_AS_APPLIED (outcome == APPLIED)
#endif
#define SUPERSEDED 2

/* L2, L4, L5, L6: client/likes/drain.py, the call, admin/likes/service.py, client/likes/apply_outcomes.py. A batch has one
 * like here: Admin locks the counts, so likes of a batch do not interact. */
proctype Drain(byte me) {
    byte u, revision, outcome, their_revision, received_at;
    bit liked, their_liked, stored;
#if ADMIN_RESTORES
    bit known_epoch;
#endif
end_idle:
    atomic { /* the lease, and _pending */
#ifdef NO_SWEEP
        announced && losses ->
        if
        :: announced = 0; losses--; printf("@Drain %d>Drain %d: the task is lost\n", me, me); goto end_idle
        :: skip
        fi;
        (client.pending[0] || client.pending[SHOPPERS - 1]) && (!forward_lease || expiries) ->
        announced = 0;
#else
        (client.pending[0] || client.pending[SHOPPERS - 1]) && (!forward_lease || expiries) ->
#endif
        if
        :: forward_lease -> expiries--; printf("@Drain %d>Client store: the other's lease has expired\n", me)
        :: else
        fi;
        forward_lease = me; busy++;
        if
        :: client.pending[0] -> u = 0
        :: client.pending[SHOPPERS - 1] -> u = SHOPPERS - 1
        fi;
        revision = client.revision[u]; liked = client.liked[u];
        printf("@Drain %d>Client store: read shopper %d: liked %d, revision %d\n", me, u, liked, revision)
    }
#if ADMIN_RESTORES
    known_epoch = epoch; /* recovery.epoch */
#endif
call:
    atomic { /* apply_likes: one transaction, which locks the count first */
        stored = admin.liked[u];
        outcome = (admin.revision[u] >= revision -> SUPERSEDED : APPLIED);
#ifdef APPLIED_WITHOUT_REVISION
        outcome = APPLIED;
#endif
#ifdef COUNT_NOT_LOCKED
    }
    atomic {
#endif
        if
        :: outcome == APPLIED ->
            assert(revision >= admin.revision[u]); /* no newer revision is replaced by an older one */
            admin.revision[u] = revision; admin.liked[u] = liked; admin.received_at[u] = NOW + 1;
#ifdef COUNTED_AT_EACH_CALL
            admin.likes = admin.likes + (liked -> 1 : -1);
#else
            admin.likes = admin.likes + liked - stored;
#endif
            printf("@Drain %d>Admin web: apply shopper %d: liked %d, revision %d\n", me, u, liked, revision);
            check()
        :: else ->
            printf("@Drain %d>Admin web: shopper %d, revision %d: superseded by %d\n", me, u, revision, admin.revision[u])
        fi;
        their_revision = admin.revision[u]; their_liked = admin.liked[u]; received_at = admin.received_at[u];
        stored = 0;
        if
        :: losses -> losses--; printf("@Admin web>Drain %d: the answer is lost\n", me); goto done
#if REPEATS
        :: repeats -> repeats--; goto call
#endif
        :: skip
        fi
    }
    atomic { /* apply_outcomes: each write names the revision that was sent */
        if
        :: TAKEN_AS_APPLIED || (their_revision == revision && their_liked == liked) ->
            if
#ifdef CLEARED_WITHOUT_REVISION
            :: 1 ->
#else
            :: client.revision[u] == revision ->
#endif
                client.pending[u] = 0; client.is_restored[u] = 0;
                printf("@Drain %d>Client store: shopper %d is no longer pending\n", me, u)
            :: else
            fi
        :: else -> /* _admin_is_ahead: a store was restored */
            if
            :: client.revision[u] == revision && client.pending[u] ->
                if
                :: their_liked == liked -> client.revision[u] = their_revision; client.pending[u] = 0; client.is_restored[u] = 0
#ifdef ADMINS_STATE_ALWAYS_ADOPTED
                :: their_liked != liked ->
#else
                :: their_liked != liked && (client.is_restored[u] || client.at[u] < received_at) ->
#endif
                    client.revision[u] = their_revision; client.liked[u] = their_liked; client.at[u] = received_at;
                    client.uncounted[u] = 1; client.pending[u] = 0; client.is_restored[u] = 0;
                    printf("@Drain %d>Client store: shopper %d: adopt Admin's state\n", me, u)
#ifndef ADMINS_STATE_ALWAYS_ADOPTED
                :: their_liked != liked && !(client.is_restored[u] || client.at[u] < received_at) ->
                    client.revision[u] = (their_revision > revision -> their_revision : revision) + 1;
                    printf("@Drain %d>Client store: shopper %d: raise the revision to %d\n", me, u, client.revision[u])
#endif
                fi
            :: else
            fi
        fi
    }
#if ADMIN_RESTORES && !defined(ANSWER_KEPT_AFTER_RESTORE)
    atomic { /* Admin was restored meanwhile, and may have lost what it answered: recovery.send_again */
        if
        :: epoch != known_epoch && !client.pending[u] -> client.pending[u] = 1; client.is_restored[u] = 1;
           printf("@Drain %d>Client store: shopper %d is pending again\n", me, u)
        :: else
        fi
    }
#endif
done:
    atomic {
#if ADMIN_RESTORES
        known_epoch = 0;
#endif
        u = 0; revision = 0; liked = 0; outcome = 0; their_revision = 0; their_liked = 0; received_at = 0; busy--;
        if
        :: forward_lease == me -> forward_lease = 0
        :: else
        fi;
        goto end_idle
    }
}

#if RESTORES
#define COPY_USER(to, from, u) \
    to.exists[u] = from.exists[u]; to.liked[u] = from.liked[u]; to.pending[u] = from.pending[u]; \
    to.uncounted[u] = from.uncounted[u]; to.counted[u] = from.counted[u]; to.is_restored[u] = from.is_restored[u]; \
    to.revision[u] = from.revision[u]; to.at[u] = from.at[u]
#define COPY_ROW(to, from, u) \
    to.liked[u] = from.liked[u]; to.revision[u] = from.revision[u]; to.received_at[u] = from.received_at[u]

/* An operator who restores a backup, and then recovers: `lockstep sync recover` makes the Client send every like again,
 * `lockstep likes diff --repair` (client/likes/repair.py) copies the likes that only Admin has. */
proctype Operator() {
    byte u;
#if CLIENT_RESTORES
    atomic { COPY_USER(client_backup, client, 0); COPY_USER(client_backup, client, SHOPPERS - 1);
             client_backup.likes = client.likes; printf("@Operator>Client store: back up\n") }
    atomic { /* the Client's processes are stopped */
        busy == 0 ->
        COPY_USER(client, client_backup, 0); COPY_USER(client, client_backup, SHOPPERS - 1);
        client.likes = client_backup.likes; count_lease = 0; forward_lease = 0;
        wanted[0] = client.liked[0]; wanted[SHOPPERS - 1] = client.liked[SHOPPERS - 1];
        clicked_since_restore[0] = 0; clicked_since_restore[SHOPPERS - 1] = 0; resend = 1;
        printf("@Operator>Client store: restore the backup\n")
    }
#endif
#if ADMIN_RESTORES
    atomic { COPY_ROW(admin_backup, admin, 0); COPY_ROW(admin_backup, admin, SHOPPERS - 1);
             admin_backup.likes = admin.likes; printf("@Operator>Admin database: back up\n") }
    atomic {
        /* a drain may hold an answer from before */
        COPY_ROW(admin, admin_backup, 0); COPY_ROW(admin, admin_backup, SHOPPERS - 1); admin.likes = admin_backup.likes;
        epoch = 1; resend = 1; printf("@Operator>Admin database: restore the backup\n")
    }
#endif
    do /* drain: recovery.next_chunk, when nothing is pending. What is pending by then is new, or its time decides. */
    :: EACH(u) && !client.pending[0] && !client.pending[SHOPPERS - 1] ->
        atomic {
#ifndef LIKES_NOT_SENT_AGAIN
            if
            :: client.exists[u] && !client.pending[u] -> client.pending[u] = 1; client.is_restored[u] = 1
            :: else
            fi;
#endif
            u++
        }
    :: !EACH(u) -> break
    od;
    atomic { u = 0; resend = 0; printf("@Operator>Client store: recovered: every like is pending\n") }
end_idle:
    do
    :: atomic { /* likes diff --repair: what only Admin has, where the Client still has nothing */
            u < SHOPPERS && admin.revision[u] && !client.exists[u] ->
            client.exists[u] = 1; client.liked[u] = admin.liked[u]; client.revision[u] = admin.revision[u];
            client.at[u] = admin.received_at[u]; client.uncounted[u] = 1;
            printf("@Operator>Client store: copy the like of shopper %d from Admin\n", u)
        }
    :: atomic { u < SHOPPERS - 1 && !(admin.revision[u] && !client.exists[u]) && admin.revision[u + 1] && !client.exists[u + 1] -> u++ }
    od
}
#endif

init {
    atomic {
        run Tab(0);
#if TABS > 1
        run Tab(0);
#endif
#if SHOPPERS > 1
        run Tab(1);
#endif
        run Counter(1);
#if COUNTERS > 1
        run Counter(2);
#endif
        run Drain(1);
#if DRAINS > 1
        run Drain(2);
#endif
#if ERASURES
        run Erasure();
#endif
#if RESTORES
        run Operator();
#endif
    }
}

/* Liveness: in the end nothing is pending, and both counts are the size of one and the same set. */
#ifdef LIVENESS
ltl in_sync { [] <> IN_SYNC }
#endif
