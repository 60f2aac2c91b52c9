#include "router/s2s_pair.h"

#include <inttypes.h>

void s2s_port_why(const struct s2s_port *s, const char *remote, struct buffer *out)
{
	const struct s2s_pair *pair;
	uint64_t retry_ms = UINT64_MAX;

	for (size_t place = 0; (pair = map_next(&s->pairs, &place, NULL));) {
		uint64_t now_ms = s2s_pair_now_ms(pair), due_ms = pair->retry.due_ms;

		if (strcmp(pair->remote, remote) != 0 || pair->probe_number)
			continue;
		s2s_pair_add_queue(pair, out);
		if (!timer_is_armed(&pair->retry))
			continue;
		due_ms = due_ms > now_ms ? due_ms - now_ms : 0;
		retry_ms = due_ms < retry_ms ? due_ms : retry_ms;
	}
	if (retry_ms != UINT64_MAX)
		snapshot_add_int(out, "retry", (int64_t)retry_ms);
	attempts_write(s->attempts, remote, loop_now_ms(s->worker->loop), out);
}
