/*
 * The commit protocol as a model that Spin checks in every interleaving. It has rows, and no lock at all: what the lock
 * saves is work, and nothing may rest on it.
 *
 *   writers      change and delete rows; a change makes a row dirty
 *   flushers     load the manifest (the fence), then for each chunk: snapshot, put of a new object, append, mark. The next
 *                chunk may be read before the one before it is listed. They may die after any step
 *   compactor    merges any of the listed files, and splices
 *   exporter     reads all live rows, and lists one file in the place of everything
 *   sweeper      names an unlisted object in the manifest, and deletes it later
 *   repairer     lists anew what is in an unlisted object, after somebody put an older manifest back
 *   monitor      at any moment: of a row that is not dirty, readers see exactly what the tables hold, unless that older
 *                manifest took it away; and every listed object is there
 *
 * A file holds one version of some rows. Everything inside atomic or d_step is one step of a store or a database: a
 * conditional save, a snapshot, a statement.
 *
 * Parts:    EXPORT, SWEEP, REPAIR (with the older manifest), each on with -D
 * Bounds:   WOPS changes, PASSES of each of FLUSHERS, CPASSES of the compactor, ROWS rows, each of them a chunk
 *
 * Mutants, each of which must be found wrong; so each rule is needed:
 *   M_NO_FENCE          a flush appends although another one has appended since it loaded the manifest
 *   M_LATE_FENCE        the manifest is loaded after the snapshot
 *   M_FENCE_PER_CHUNK   the manifest is loaded anew for the second chunk, which has been read before
 *   M_MARK_BLINDLY      the mark does not compare the version
 *   M_DROP_TOMBSTONE    a merge of some of the files drops a tombstone
 *   M_SPLICE_BLINDLY    a splice does not look whether its sources are still listed
 *   M_EXPORT_NO_FENCE   an export is listed although a flush has appended since it loaded the manifest (EXPORT)
 *   M_SWEEP_UNNAMED     an unlisted object is deleted that no manifest names (SWEEP)
 *   M_LIST_NAMED        an append does not look whether the reloaded manifest names its object (SWEEP)
 *   M_REPAIR_RELOADED   a repair saves to a manifest that it has not analysed (REPAIR)
 *   M_REPAIR_BLINDLY    a repair does not compare with the tables (REPAIR)
 */
#ifndef WOPS
#define WOPS 3
#endif
#ifndef PASSES
#define PASSES 1
#endif
#ifndef CPASSES
#define CPASSES 1
#endif
#ifndef FLUSHERS
#define FLUSHERS 2
#endif
#ifndef ROWS
#define ROWS 1
#endif
#define OBJECTS 10
#define CELLS (OBJECTS * ROWS)
#define NONE 255

/* Tables. */
byte version[ROWS];
bool live[ROWS];
bool dirty[ROWS];

/* Bucket: what is in each object, 0 for a row that is not in it. */
byte holds[CELLS];
bool alive[CELLS];
bool there[OBJECTS];
byte objects = 0;

/* Manifest. */
byte saves = 0;
byte flushes = 0;
bool listed[OBJECTS];
bool retired[OBJECTS];
bool named[OBJECTS];
bool byFlush[OBJECTS];

/* Rows that an older manifest took from readers. */
bool lost[ROWS];

/* For atomic steps alone. */
hidden byte f, best, bestLive;

/* What readers see of a row. */
inline look(r) {
  best = 0; bestLive = false; f = 0;
  do
  :: f < OBJECTS ->
     if
     :: listed[f] && holds[f * ROWS + r] > best -> best = holds[f * ROWS + r]; bestLive = alive[f * ROWS + r]
     :: else
     fi;
     f++
  :: else -> break
  od
}

#define RIGHT(r) ((live[r] && bestLive && best == version[r]) || (!live[r] && !bestLive))

proctype Writer() {
  byte ops = 0, r;
  do
  :: ops < WOPS ->
     atomic {
       ops++;
       select (r : 0 .. (ROWS - 1));
       version[r]++;
       if
       :: live[r] = true
       :: live[r] -> live[r] = false
       fi;
       dirty[r] = true;
       lost[r] = false;
       r = 0
     }
  :: else -> break
  od
}

/* Reads a chunk and puts it: the object is a new one each time. */
inline export(r, object, read) {
  if
  :: atomic { dirty[r] ->
       assert(objects < OBJECTS);
       object = objects; objects++;
       holds[object * ROWS + r] = version[r]; alive[object * ROWS + r] = live[r];
       there[object] = true; byFlush[object] = true; read = version[r] }
  :: atomic { !dirty[r] -> object = NONE }
  fi
}

/* Appends and marks a chunk; gone says that the pass is over. */
inline publish(r, object, read, etag, fence, gone) {
  if
  :: gone || object == NONE -> skip
  :: else ->
     /* The save is conditional on what was loaded last; it fails if others come between, and is tried again. */
     do
     :: gone -> break
     :: atomic { !gone && saves == etag ->
          listed[object] = true; saves++; flushes++; etag = saves; fence++; break }
     :: atomic { !gone && saves != etag ->
          etag = saves;
          if
#ifndef M_NO_FENCE
          :: flushes != fence -> gone = true
#endif
#ifndef M_LIST_NAMED
          :: named[object] || !there[object] -> gone = true
#endif
          :: else
          fi }
     od;
     if :: true :: gone = true fi;                       /* may die here, listed and not marked */
     atomic {
       if
#ifdef M_MARK_BLINDLY
       :: !gone && dirty[r] -> dirty[r] = false
#else
       :: !gone && dirty[r] && version[r] == read -> dirty[r] = false
#endif
       :: else
       fi }
  fi
}

proctype Flusher() {
  byte pass = 0, etag, fence, object0, object1, read0, read1;
  bool gone;
  do
  :: pass < PASSES ->
     pass++; gone = false; object1 = NONE;
#ifdef M_LATE_FENCE
     export(0, object0, read0);
     d_step { etag = saves; fence = flushes };
#else
     d_step { etag = saves; fence = flushes };
     export(0, object0, read0);
#endif
#if ROWS > 1
     /* The second chunk is read before the first is listed, or after. */
     if
     :: export(1, object1, read1); publish(0, object0, read0, etag, fence, gone)
     :: publish(0, object0, read0, etag, fence, gone); export(1, object1, read1)
     fi;
#ifdef M_FENCE_PER_CHUNK
     d_step { etag = saves; fence = flushes };
#endif
     publish(1, object1, read1, etag, fence, gone);
#else
     publish(0, object0, read0, etag, fence, gone);
#endif
     d_step { etag = 0; fence = 0; object0 = 0; object1 = 0; read0 = 0; read1 = 0 }
  :: else -> break
  od
}

proctype Compactor() {
  byte pass = 0, i, r;
  byte merged[ROWS];
  bool mergedLive[ROWS];
  bool source[OBJECTS];
  bool all, ok, some;
  do
  :: pass < CPASSES ->
     pass++;
     /* Sources are objects that nobody ever changes, so that reading them takes no time. */
     atomic {
       all = true; some = false; i = 0;
       do
       :: i < OBJECTS ->
          source[i] = false;
          if
          :: listed[i] -> if :: source[i] = true; some = true :: all = false fi
          :: else
          fi;
          i++
       :: else -> break
       od;
       r = 0;
       do
       :: r < ROWS ->
          merged[r] = 0; mergedLive[r] = false; i = 0;
          do
          :: i < OBJECTS ->
             if
             :: source[i] && holds[i * ROWS + r] > merged[r] ->
                merged[r] = holds[i * ROWS + r]; mergedLive[r] = alive[i * ROWS + r]
             :: else
             fi;
             i++
          :: else -> break
          od;
          r++
       :: else -> break
       od;
       i = 0; r = 0
     }
     if
     :: !some -> skip
     :: else ->
        atomic {
          ok = true; i = 0;
#ifndef M_SPLICE_BLINDLY
          do
          :: i < OBJECTS -> if :: source[i] && !listed[i] -> ok = false :: else fi; i++
          :: else -> break
          od;
#endif
          if
          :: ok ->
             i = 0;
             do
             :: i < OBJECTS -> if :: source[i] -> listed[i] = false; retired[i] = true :: else fi; i++
             :: else -> break
             od;
             assert(objects < OBJECTS);
             r = 0;
             do
             :: r < ROWS ->
                if
                /* A tombstone stays, unless every listed file was merged. */
#ifdef M_DROP_TOMBSTONE
                :: merged[r] > 0 && !mergedLive[r] -> skip
#else
                :: merged[r] > 0 && !mergedLive[r] && all -> skip
#endif
                :: else -> holds[objects * ROWS + r] = merged[r]; alive[objects * ROWS + r] = mergedLive[r]
                fi;
                r++
             :: else -> break
             od;
             there[objects] = true; listed[objects] = true; objects++; saves++
          :: else
          fi;
          i = 0; r = 0; all = false; ok = false
        }
     fi;
     d_step {
       i = 0; do :: i < OBJECTS -> source[i] = false; i++ :: else -> break od;
       r = 0; do :: r < ROWS -> merged[r] = 0; mergedLive[r] = false; r++ :: else -> break od;
       i = 0; r = 0; some = false
     }
  :: else -> break
  od
}

proctype Exporter() {
  byte fence, object, i, r;
  fence = flushes;
  atomic {
    assert(objects < OBJECTS);
    object = objects; objects++; r = 0;
    do
    :: r < ROWS ->
       if :: live[r] -> holds[object * ROWS + r] = version[r]; alive[object * ROWS + r] = true :: else fi;
       r++
    :: else -> break
    od;
    there[object] = true
  }
  atomic {
    if
#ifdef M_EXPORT_NO_FENCE
    :: !named[object] && there[object] ->
#else
    :: flushes == fence && !named[object] && there[object] ->
#endif
       i = 0;
       do
       :: i < OBJECTS -> if :: listed[i] -> listed[i] = false; retired[i] = true :: else fi; i++
       :: else -> break
       od;
       listed[object] = true; saves++
    :: else
    fi
  }
}

proctype Sweeper() {
  byte i;
  /* An unlisted object is found, and named by a save; the grace passes; it is deleted if it is not listed then. */
  atomic { select (i : 0 .. (OBJECTS - 1));
    if
    :: there[i] && !listed[i] && !retired[i] ->
#ifndef M_SWEEP_UNNAMED
       named[i] = true; saves++
#else
       skip
#endif
    :: else -> goto out
    fi }
  atomic {
    if
    :: !listed[i] -> there[i] = false
    :: else
    fi }
out: skip
}

/* Puts back a manifest of before a flush: what that one listed is unlisted, and rows may be lost to readers. */
proctype OlderManifest() {
  byte r;
  byte i;
  atomic { select (i : 0 .. (OBJECTS - 1));
    if
    :: listed[i] && byFlush[i] ->
       listed[i] = false; saves++; r = 0;
       do
       :: r < ROWS ->
          look(r);
          /* A dirty row may be marked by a flush that has listed it before. */
          if :: dirty[r] || !RIGHT(r) -> lost[r] = (lost[r] || holds[i * ROWS + r] > 0) :: else fi;
          r++
       :: else -> break
       od
    :: else
    fi }
}

proctype Repairer() {
  byte etag, i, r, object;
  bool any, refused;
  /* The manifest first, the tables after it. */
  d_step { etag = saves }
  atomic { select (i : 0 .. (OBJECTS - 1));
    if
    :: there[i] && byFlush[i] && !listed[i] && !retired[i] && !named[i] -> skip
    :: else -> goto out
    fi;
    assert(objects < OBJECTS);
    object = objects; objects++; there[object] = true; r = 0;
    do
    :: r < ROWS ->
       look(r);
       if
       :: holds[i * ROWS + r] <= best || holds[i * ROWS + r] == 0 -> skip      /* covered, or not in it */
#ifdef M_REPAIR_BLINDLY
       :: else -> any = true;
          holds[object * ROWS + r] = holds[i * ROWS + r]; alive[object * ROWS + r] = alive[i * ROWS + r]
#else
       :: else ->
          if
          :: dirty[r] -> skip                                                  /* the next flush's */
          :: !dirty[r] && alive[i * ROWS + r] == live[r] && (!live[r] || holds[i * ROWS + r] == version[r]) ->
             any = true;
             holds[object * ROWS + r] = holds[i * ROWS + r]; alive[object * ROWS + r] = alive[i * ROWS + r]
          :: else -> refused = true
          fi
#endif
       fi;
       r++
    :: else -> break
    od }
  atomic {
    if
#ifdef M_REPAIR_RELOADED
    :: any && !refused ->
#else
    :: any && !refused && saves == etag ->
#endif
       listed[object] = true; saves++; r = 0;
       do
       :: r < ROWS ->
          look(r);
          if
          :: !dirty[r] && holds[object * ROWS + r] > 0 -> assert(RIGHT(r)); lost[r] = false
          :: else
          fi;
          r++
       :: else -> break
       od
    :: else
    fi }
out: skip
}

proctype Monitor() {
  byte r = 0;
  atomic {
    do
    :: r < ROWS -> look(r); assert(dirty[r] || lost[r] || RIGHT(r)); r++
    :: else -> break
    od;
    r = 0;
    do
    :: r < OBJECTS -> assert(!listed[r] || there[r]); r++
    :: else -> break
    od }
}

init {
  atomic {
    byte n = 0;
    do :: n < FLUSHERS -> run Flusher(); n++ :: else -> break od;
    run Writer();
#if CPASSES > 0
    run Compactor();
#endif
#ifdef EXPORT
    run Exporter();
#endif
#ifdef SWEEP
    run Sweeper();
#endif
#ifdef REPAIR
    run OlderManifest();
    run Repairer();
#endif
    run Monitor()
  }
}
