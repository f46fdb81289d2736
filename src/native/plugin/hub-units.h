/* The access units that a hub keeps: the latest GOP, and what a client still has to read before it. Not locked. */
#ifndef LOOKOUT_HUB_UNITS_H
#define LOOKOUT_HUB_UNITS_H
#include "hub-packets.h"

/* Where a reader stands while there is no keyframe to begin with. */
#define AT_NEXT_KEYFRAME G_MAXUINT64

/*
 * Serials: of the oldest unit, behind the newest, of the keyframe that a reader begins with. With `earlier` that is not the
 * latest one but the one before, which is the latest no longer; `latest` remembers it.
 */
typedef struct {
  HubUnit *ring;
  gsize capacity; /* a power of two, or 0 */
  guint64 first, end, keyframe;
  gsize held;
  gboolean earlier;
  guint64 latest;
} HubUnits;

/* Takes a unit over. Where more than `bytes` would be kept for a reader that lags, what comes before the latest keyframe goes. */
void hub_units_keep (HubUnits *units, HubUnit unit, gsize bytes, gboolean has_readers);
void hub_units_drop_before (HubUnits *units, guint64 serial);
void hub_units_clear (HubUnits *units);

/* The unit at `place`, with references of its own, and `place` behind it; FALSE where a reader has everything. */
gboolean hub_units_next (HubUnits *units, guint64 *place, HubUnit *unit);
void hub_unit_clear (HubUnit *unit);

#endif
