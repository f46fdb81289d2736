/* A ring of access units by serial number. */
#include "hub-units.h"

static HubUnit *unit_at (HubUnits *units, guint64 serial) {
  return &units->ring[serial & (units->capacity - 1)];
}

void hub_unit_clear (HubUnit *unit) {
  gst_clear_buffer (&unit->buffer);
  g_clear_pointer (&unit->parameter_sets, g_bytes_unref);
}

void hub_units_drop_before (HubUnits *units, guint64 serial) {
  while (units->first < units->end && units->first < serial) {
    HubUnit *unit = unit_at (units, units->first++);
    units->held -= gst_buffer_get_size (unit->buffer);
    hub_unit_clear (unit);
  }
}

static void grow (HubUnits *units) {
  gsize capacity = units->capacity == 0 ? 64 : units->capacity * 2;
  HubUnit *ring = g_new0 (HubUnit, capacity);
  for (guint64 serial = units->first; serial < units->end; serial += 1) ring[serial & (capacity - 1)] = *unit_at (units, serial);
  g_free (units->ring);
  units->ring = ring;
  units->capacity = capacity;
}

void hub_units_keep (HubUnits *units, HubUnit unit, gsize bytes, gboolean has_readers) {
  if (unit.keyframe) {
    units->keyframe = units->earlier && units->latest != AT_NEXT_KEYFRAME && units->latest >= units->first ? units->latest : units->end;
    units->latest = units->end;
    if (!has_readers) hub_units_drop_before (units, units->keyframe);
  }
  if (units->keyframe == AT_NEXT_KEYFRAME) {
    hub_unit_clear (&unit);
    return;
  }
  if (units->end - units->first == units->capacity) grow (units);
  units->held += gst_buffer_get_size (unit.buffer);
  *unit_at (units, units->end++) = unit;
  if (units->held > bytes) hub_units_drop_before (units, units->keyframe);
  /* A GOP that is larger than the bound by itself: nobody can begin until the next one. */
  if (units->held > bytes) {
    hub_units_drop_before (units, units->end);
    units->keyframe = AT_NEXT_KEYFRAME;
  }
}

gboolean hub_units_next (HubUnits *units, guint64 *place, HubUnit *unit) {
  if (*place == AT_NEXT_KEYFRAME || *place < units->first) *place = units->keyframe;
  if (*place == AT_NEXT_KEYFRAME || *place >= units->end) return FALSE;
  *unit = *unit_at (units, (*place)++);
  gst_buffer_ref (unit->buffer);
  if (unit->parameter_sets != NULL) g_bytes_ref (unit->parameter_sets);
  return TRUE;
}

void hub_units_clear (HubUnits *units) {
  hub_units_drop_before (units, units->end);
  g_free (units->ring);
  *units = (HubUnits) { .keyframe = AT_NEXT_KEYFRAME, .latest = AT_NEXT_KEYFRAME, .earlier = units->earlier };
}
