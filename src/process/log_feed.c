#include "process/log_feed.h"

#include "admin/event_log.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/line_ring.h"
#include "ipc/wire.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>

struct log_feed {
	struct log_feed_config config; /* loop NULL: not served */
	struct line_ring *ring;
	uint64_t next; /* the first that manage was not told */
	uint64_t lost; /* not told, and not said yet */
	uint64_t said_ms;
	struct timer timer;
};

static void on_timer(struct timer *timer);

struct log_feed *log_feed_create(size_t keep)
{
	struct log_feed *feed = xcalloc(1, sizeof(*feed));

	feed->ring = line_ring_create(keep, EVENT_LOG_BYTES_MAX);
	feed->next = 1;
	feed->timer.fire = on_timer;
	return feed;
}

void log_feed_destroy(struct log_feed **feed)
{
	if (!*feed)
		return;
	log_feed_serve(*feed, NULL);
	line_ring_destroy(&(*feed)->ring);
	free(*feed);
	*feed = NULL;
}

void log_feed_keep(struct log_feed *feed, size_t keep)
{
	line_ring_resize(feed->ring, keep);
}

static void wake(struct log_feed *feed)
{
	if (feed->config.loop && !timer_is_armed(&feed->timer))
		loop_arm(feed->config.loop, &feed->timer, LOG_FEED_TICK_MS);
}

void log_feed_add(struct log_feed *feed, struct slice line)
{
	line_ring_add(feed->ring, line);
	wake(feed);
}

void log_feed_serve(struct log_feed *feed, const struct log_feed_config *config)
{
	if (feed->config.loop)
		loop_disarm(feed->config.loop, &feed->timer);
	feed->config = config ? *config : (struct log_feed_config){ 0 };
}

void log_feed_start(struct log_feed *feed)
{
	feed->next = line_ring_first(feed->ring);
	wake(feed);
}

static bool send_batch(struct log_feed *feed)
{
	uint64_t next = feed->next, last = line_ring_last(feed->ring);
	struct buffer body = { 0 };
	bool sent;

	wire_put_u64(&body, next);
	while (next <= last && buffer_len(&body) < LOG_FEED_BATCH_BYTES) {
		buffer_append_slice(&body, line_ring_get(feed->ring, next++));
		buffer_append_text(&body, "\n");
	}
	sent = feed->config.send(feed->config.arg,
				 (struct slice){ buffer_data(&body), buffer_len(&body) });
	if (sent)
		feed->next = next;
	buffer_finish(&body);
	return sent;
}

/* Seldom: it is a line too. */
static void say_lost(struct log_feed *feed)
{
	uint64_t now_ms = loop_now_ms(feed->config.loop);

	if (!feed->lost || (feed->said_ms && now_ms - feed->said_ms < LOG_FEED_TELL_MS))
		return;
	feed->said_ms = now_ms;
	log_event(EVENT_LOG_DROPPED, "lines=%" PRIu64 " reader=manage", feed->lost);
	feed->lost = 0;
}

static void on_timer(struct timer *timer)
{
	struct log_feed *feed = (void *)((char *)timer - offsetof(struct log_feed, timer));
	uint64_t first = line_ring_first(feed->ring);

	if (feed->next < first) {
		feed->lost += first - feed->next;
		feed->next = first;
	}
	while (feed->next <= line_ring_last(feed->ring) && feed->config.ready(feed->config.arg) &&
	       send_batch(feed))
		;
	if (feed->next <= line_ring_last(feed->ring))
		wake(feed);
	else
		say_lost(feed);
}
