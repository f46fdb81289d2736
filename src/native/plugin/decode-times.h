/* When each access unit of a stream is to be decoded: RTP tells only when it is shown, and a muxer of MPEG-TS wants both. */
#ifndef LOOKOUT_DECODE_TIMES_H
#define LOOKOUT_DECODE_TIMES_H
#include <gst/gst.h>

/* The deepest reordering there is (max_num_reorder_frames). */
#define DEEPEST 16

/*
 * `held`: units of the beginning, until they show how deep the stream reorders. `depth` is that, `ahead` the times of
 * presentation that were not used for decoding yet, lowest first; `last`: when the unit before is decoded.
 */
typedef struct { GQueue held; gboolean judged; guint depth, count; GstClockTime ahead[DEEPEST + 1], last; } DecodeTimes;

void decode_times_init (DecodeTimes *times);
/* Takes the buffer, and pushes what has its time. */
GstFlowReturn decode_times_push (DecodeTimes *times, GstBuffer *buffer, gboolean keyframe, GstPad *pad);
/* Pushes what is held. */
GstFlowReturn decode_times_flush (DecodeTimes *times, GstPad *pad);
void decode_times_clear (DecodeTimes *times);

#endif
