/*
 * rtph264depay keeps every parameter set that ever came, by number. One that was damaged on its way gets a number by chance and stays for
 * good; no picture refers to it, but h264parse takes size and frame rate from the set that it read last, and a muxer what h264parse says.
 */
#include "nal.h"
#include "parameter-sets.h"

#define NAL_SLICE 1
#define NAL_PARTITION_A 2
#define NAL_IDR 5
#define NAL_SPS 7
#define NAL_PPS 8
/* Of the syntax of sets and slices only what comes first is read. */
#define HEAD 32
#define SPS_NUMBERS 32
#define PPS_NUMBERS 256
#define NONE G_MAXUINT

/* Bits behind the byte `from` of a NAL unit, without those against emulation (H.264 §7.3.1). */
typedef struct { guint8 bytes[HEAD]; guint bits, at; } Head;

static Head head_of (const guint8 *nal, gsize length, gsize from) {
  Head head = { .bits = 0, .at = 0 };
  guint zeros = 0;
  for (gsize i = from; i < length && head.bits < HEAD * 8; i += 1) {
    gboolean extra = zeros >= 2 && nal[i] == 3;
    zeros = nal[i] == 0 ? zeros + 1 : 0;
    if (extra) continue;
    head.bytes[head.bits / 8] = nal[i];
    head.bits += 8;
  }
  return head;
}

static guint bit (Head *head) {
  if (head->at >= head->bits) return NONE;
  guint value = head->bytes[head->at / 8] >> (7 - head->at % 8) & 1;
  head->at += 1;
  return value;
}

/* ue(v), H.264 §9.1; NONE where it is cut off or passes 16 bits. */
static guint number (Head *head) {
  guint zeros = 0, value = 1, next;
  while ((next = bit (head)) == 0) zeros += 1;
  if (next == NONE || zeros > 16) return NONE;
  for (; zeros > 0; zeros -= 1) {
    if ((next = bit (head)) == NONE) return NONE;
    value = value << 1 | next;
  }
  return value - 1;
}

/* Behind profile, constraints and level (§7.3.2.1.1). */
static guint sps_number (const guint8 *nal, gsize length) {
  Head head = head_of (nal, length, 4);
  return number (&head);
}

/* §7.3.2.2; FALSE where it cannot be one. */
static gboolean pps_numbers (const guint8 *nal, gsize length, guint *own, guint *sps) {
  Head head = head_of (nal, length, 1);
  *own = number (&head);
  *sps = number (&head);
  return *own < PPS_NUMBERS && *sps < SPS_NUMBERS;
}

/* Behind the first macroblock and the type (§7.3.3). */
static guint slice_pps (const guint8 *nal, gsize length) {
  Head head = head_of (nal, length, 1);
  number (&head);
  number (&head);
  return number (&head);
}

static void note_slices (const guint8 *data, gsize size, guint length_size, gboolean pps_used[PPS_NUMBERS]) {
  const guint8 *nal;
  gsize at = 0, length;
  while (nal_next (data, size, &at, length_size, &nal, &length)) {
    guint type = nal[0] & 0x1f, pps = type == NAL_SLICE || type == NAL_PARTITION_A || type == NAL_IDR ? slice_pps (nal, length) : NONE;
    if (pps < PPS_NUMBERS) pps_used[pps] = TRUE;
  }
}

/* Whether a set stays, by the sequence sets that are used. */
static gboolean stays (const guint8 *nal, gsize length, const gboolean sps_used[SPS_NUMBERS]) {
  guint type = nal[0] & 0x1f, own, sps = SPS_NUMBERS;
  if (type == NAL_SPS) sps = sps_number (nal, length);
  else if (type != NAL_PPS || !pps_numbers (nal, length, &own, &sps)) return FALSE;
  return sps < SPS_NUMBERS && sps_used[sps];
}

gboolean parameter_sets_differ (GBytes *sets) {
  gsize size, at = 0, length;
  const guint8 *nal, *data = g_bytes_get_data (sets, &size);
  guint count = 0;
  while (nal_next (data, size, &at, 4, &nal, &length)) count += (nal[0] & 0x1f) == NAL_SPS;
  return count > 1;
}

GBytes *parameter_sets_in_use (GBytes *sets, const guint8 *data, gsize size, guint length_size) {
  gboolean pps_used[PPS_NUMBERS] = { FALSE }, sps_used[SPS_NUMBERS] = { FALSE };
  gsize all_size, at = 0, length;
  const guint8 *nal, *all = g_bytes_get_data (sets, &all_size);
  note_slices (data, size, length_size, pps_used);
  while (nal_next (all, all_size, &at, 4, &nal, &length)) {
    guint pps, sps;
    if ((nal[0] & 0x1f) == NAL_PPS && pps_numbers (nal, length, &pps, &sps) && pps_used[pps]) sps_used[sps] = TRUE;
  }
  GByteArray *kept = g_byte_array_new ();
  gboolean has_sps = FALSE;
  for (at = 0; nal_next (all, all_size, &at, 4, &nal, &length);) {
    if (!stays (nal, length, sps_used)) continue;
    has_sps |= (nal[0] & 0x1f) == NAL_SPS;
    g_byte_array_append (kept, nal - 4, length + 4);
  }
  GBytes *result = g_byte_array_free_to_bytes (kept);
  if (has_sps) return result;
  g_bytes_unref (result);
  return g_bytes_ref (sets);
}
