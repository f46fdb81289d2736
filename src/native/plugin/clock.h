/* The time line that the tracks of one reader share. Times are ns; `zero` is on CLOCK_MONOTONIC, `first` a running time: that of the frame with which the video begins. */
#ifndef LOOKOUT_CLOCK_H
#define LOOKOUT_CLOCK_H
#include "box.h"

/* What a 90 kHz timestamp of CLOCK_MONOTONIC stands for, within 6 h of now. */
gint64 lookout_monotonic_of_rtp (guint32 timestamp);

/* Finds the `lookoutclock name=clock` of the bin that an element is in, with a reference; NULL where there is none. FALSE where something else has that name. */
gboolean lookout_clock_beside (GstObject *element, GstElement **clock);

/* FALSE before the first buffer came through a `lookoutclock`; `first` is GST_CLOCK_TIME_NONE until it is told. */
gboolean lookout_clock_read (GstElement *element, gint64 *zero, GstClockTime *first);

/* Tells `first`; only the first time counts. */
void lookout_clock_begin (GstElement *element, GstClockTime first);

#endif
