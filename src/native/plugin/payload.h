/* Whether an RTP payload is one that a depayloader can take. */
#ifndef LOOKOUT_PAYLOAD_H
#define LOOKOUT_PAYLOAD_H
#include <glib.h>

typedef enum { PAYLOAD_ANY = 0, PAYLOAD_H264 = 1, PAYLOAD_H265 = 2, PAYLOAD_AAC = 3, PAYLOAD_G711 = 4 } PayloadCodec;

/* `fragment`: type of the NAL unit that is open, -1 where none is. `hbr`: AAC with sizes of 13 bits and indices of 3. */
typedef struct { gint fragment; gboolean hbr; } PayloadState;

/* Where a payload begins and ends in a packet (RFC 3550 §5.1); FALSE where its header lies. */
gboolean payload_bounds (const guint8 *packet, gsize size, gsize *begin, gsize *end);

/* FALSE for what must not go further. */
gboolean payload_is_sound (PayloadCodec codec, PayloadState *state, const guint8 *payload, gsize length);

/* Whether it begins a keyframe: its parameter sets, or its first slice (RFC 6184, RFC 7798). */
gboolean payload_begins_keyframe (PayloadCodec codec, const guint8 *payload, gsize length);

/* Whether anything of a picture of H.264 is in it, and not only what stands before one (table 7-1). Of what payload_is_sound lets through, as below. */
gboolean payload_has_slice (const guint8 *payload, gsize length);

/* A number that stands for the sequence parameter set of H.264 in it; 0 where there is none. */
guint32 payload_sps (const guint8 *payload, gsize length);

#endif
