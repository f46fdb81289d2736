/*
 * Keeps from depayloaders what they do not bear. GStreamer 1.22: rtph264depay writes before its memory at a fragment without
 * content, rtph265depay aborts at an empty payload, rtpmp4gdepay reads behind its packet where the lengths of its units lie;
 * and all of them hand on NAL units of reserved types, which decoders and muxers then cut access units by.
 */
#include <gst/gst.h>
#include "payload.h"

gboolean payload_bounds (const guint8 *packet, gsize size, gsize *begin, gsize *end) {
  if (size < 12 || packet[0] >> 6 != 2) return FALSE;
  gsize from = 12 + (packet[0] & 0x0f) * 4, to = size;
  if (packet[0] & 0x10) {
    if (size < from + 4) return FALSE;
    from += 4 + 4 * GST_READ_UINT16_BE (packet + from + 2);
  }
  if (packet[0] & 0x20) {
    if (packet[size - 1] == 0 || packet[size - 1] > size) return FALSE;
    to -= packet[size - 1];
  }
  if (from > to) return FALSE;
  *begin = from;
  *end = to;
  return TRUE;
}

/* H.264 table 7-1: what is not reserved, nor only RTP's. */
static gboolean is_h264_unit (guint8 head) {
  guint type = head & 0x1f;
  return (head & 0x80) == 0 && ((type >= 1 && type <= 16) || (type >= 19 && type <= 21));
}

/* H.265 table 7-1. */
static gboolean is_h265_type (guint type) {
  return type <= 9 || (type >= 16 && type <= 21) || (type >= 32 && type <= 40);
}

static gboolean is_h265_unit (const guint8 *unit) {
  return (unit[0] & 0x80) == 0 && (unit[1] & 0x07) != 0 && is_h265_type (unit[0] >> 1 & 0x3f);
}

/* The units of an aggregation packet, 16 bits of length before each; up to two bytes behind the last are borne. */
static gboolean is_aggregate (PayloadCodec codec, const guint8 *data, gsize length) {
  gsize smallest = codec == PAYLOAD_H264 ? 2 : 3, units = 0;
  for (gsize at = 0; at + 2 < length; units += 1) {
    gsize size = GST_READ_UINT16_BE (data + at);
    at += 2;
    if (size < smallest || size > length - at) return FALSE;
    if (codec == PAYLOAD_H264 ? !is_h264_unit (data[at]) : !is_h265_unit (data + at)) return FALSE;
    at += size;
  }
  return units > 0;
}

/* A fragment follows the one before, or begins (RFC 6184 §5.8, RFC 7798 §4.4.3). `flags`: S and E in the two highest bits. */
static gboolean is_fragment (PayloadState *state, guint8 flags, gint type) {
  gboolean start = (flags & 0x80) != 0, end = (flags & 0x40) != 0;
  gboolean sound = start ? !end : state->fragment == type;
  state->fragment = sound && !end ? type : -1;
  return sound;
}

static gboolean is_h264 (PayloadState *state, const guint8 *payload, gsize length) {
  guint type = payload[0] & 0x1f;
  if (length < 2 || payload[0] & 0x80) return FALSE;
  if (type == 28) return length > 2 && is_h264_unit (payload[1] & 0x1f) && is_fragment (state, payload[1], payload[1] & 0x1f);
  state->fragment = -1;
  return type == 24 ? is_aggregate (PAYLOAD_H264, payload + 1, length - 1) : is_h264_unit (payload[0]);
}

static gboolean is_h265 (PayloadState *state, const guint8 *payload, gsize length) {
  if (length < 3 || payload[0] & 0x80) return FALSE;
  guint type = payload[0] >> 1 & 0x3f;
  if (type == 49) return length > 3 && is_h265_type (payload[2] & 0x3f) && is_fragment (state, payload[2], payload[2] & 0x3f);
  state->fragment = -1;
  return type == 48 ? is_aggregate (PAYLOAD_H265, payload + 2, length - 2) : is_h265_unit (payload);
}

/* RFC 3640 §3.2.1: lengths of units that are there, or the one unit of which this is a fragment. */
static gboolean is_aac (const PayloadState *state, const guint8 *payload, gsize length) {
  if (length < 5) return FALSE;
  if (!state->hbr) return TRUE;
  gsize bits = GST_READ_UINT16_BE (payload), count = bits / 16, at = 2 + count * 2, sum = 0;
  if (count == 0 || bits % 16 != 0 || at >= length) return FALSE;
  for (gsize unit = 0; unit < count; unit += 1) {
    gsize size = GST_READ_UINT16_BE (payload + 2 + unit * 2) >> 3;
    if (size == 0) return FALSE;
    sum += size;
  }
  return sum == length - at || (count == 1 && sum > length - at);
}

gboolean payload_is_sound (PayloadCodec codec, PayloadState *state, const guint8 *payload, gsize length) {
  if (codec == PAYLOAD_ANY) return TRUE;
  if (length == 0) return FALSE;
  if (codec == PAYLOAD_H264) return is_h264 (state, payload, length);
  if (codec == PAYLOAD_H265) return is_h265 (state, payload, length);
  return codec == PAYLOAD_G711 || is_aac (state, payload, length);
}

gboolean payload_begins_keyframe (PayloadCodec codec, const guint8 *payload, gsize length) {
  if (codec == PAYLOAD_H264 && length >= 4) {
    guint type = payload[0] & 0x1f;
    if (type == 24) type = payload[3] & 0x1f;
    else if (type == 28) type = payload[1] & 0x80 ? payload[1] & 0x1f : 0;
    return type == 5 || type == 7;
  }
  if (codec == PAYLOAD_H265 && length >= 6) {
    guint type = payload[0] >> 1 & 0x3f;
    if (type == 48) type = payload[4] >> 1 & 0x3f;
    else if (type == 49) type = payload[2] & 0x80 ? payload[2] & 0x3f : 0;
    return (type >= 16 && type <= 21) || type == 32;
  }
  return FALSE;
}

static gboolean is_slice (guint8 head) {
  return (head & 0x1f) >= 1 && (head & 0x1f) <= 5;
}

/* The next unit of an aggregation packet of H.264, behind its head; FALSE at the end. */
static gboolean next_in_aggregate (const guint8 *payload, gsize length, gsize *at, const guint8 **unit, gsize *size) {
  if (*at + 2 >= length) return FALSE;
  *size = GST_READ_UINT16_BE (payload + *at);
  *unit = payload + *at + 2;
  *at += 2 + *size;
  return *at <= length;
}

gboolean payload_has_slice (const guint8 *payload, gsize length) {
  guint type = payload[0] & 0x1f;
  if (type == 28) return is_slice (payload[1]);
  if (type != 24) return is_slice (payload[0]);
  const guint8 *unit;
  for (gsize at = 1, size; next_in_aggregate (payload, length, &at, &unit, &size);) if (is_slice (unit[0])) return TRUE;
  return FALSE;
}

/* FNV-1a. */
static guint32 number_of (const guint8 *unit, gsize size) {
  guint32 number = 2166136261u;
  for (gsize i = 0; i < size; i += 1) number = (number ^ unit[i]) * 16777619u;
  return number == 0 ? 1 : number;
}

guint32 payload_sps (const guint8 *payload, gsize length) {
  guint type = payload[0] & 0x1f;
  if (type == 7) return number_of (payload, length);
  const guint8 *unit;
  if (type == 24) for (gsize at = 1, size; next_in_aggregate (payload, length, &at, &unit, &size);) if ((unit[0] & 0x1f) == 7) return number_of (unit, size);
  return 0;
}
