#include "router/s2s_pair.h"

#include "base/alloc.h"

#include <stdlib.h>

/*
 * A probe is a pair like any other, so that it goes the way that stanzas would go; but it has a key
 * of its own in the port's map, nothing ever waits for it, and it ends when it is ready.
 */
struct s2s_probe {
	struct s2s_pair *pair;
	s2s_probed_fn *probed;
	void *arg;
	struct timer deadline;
};

static struct s2s_probe *take(struct s2s_pair *p)
{
	struct s2s_probe *probe = p->probe;

	p->probe = NULL;
	for (size_t i = 0; i < S2S_PROBES_MAX; i++) {
		if (p->owner->probes[i] == p)
			p->owner->probes[i] = NULL;
	}
	if (probe)
		loop_disarm(p->worker->loop, &probe->deadline);
	return probe;
}

void s2s_probe_ended(struct s2s_pair *p)
{
	struct s2s_probe *probe = p->probe;
	struct buffer out = { 0 };
	struct slice records;

	if (!probe)
		return;
	probe = take(p);
	if (p->name.attempt)
		attempt_write(p->name.attempt, s2s_pair_now_ms(p), &out);
	records = (struct slice){ buffer_data(&out), buffer_len(&out) };
	probe->probed(probe->arg, &records);
	buffer_finish(&out);
	free(probe);
}

void s2s_probe_drop(struct s2s_pair *p)
{
	struct s2s_probe *probe = take(p);

	if (probe)
		probe->probed(probe->arg, NULL);
	free(probe);
}

static void on_deadline(struct timer *timer)
{
	struct s2s_probe *probe = (void *)((char *)timer - offsetof(struct s2s_probe, deadline));
	struct s2s_pair *p = probe->pair;

	s2s_step(&p->name, ATTEMPT_US, STEP_CLOSED, STEP_BAD, "given up after %d s",
		 S2S_PROBE_MS / 1000);
	attempt_failed(p->name.attempt, s2s_pair_now_ms(p), FAILURE_TIMEOUT,
		       "the probe was not done in time");
	s2s_probe_ended(p);
	s2s_pair_destroy(p);
}

bool s2s_port_probe(struct s2s_port *port, const char *local, const char *remote,
		    s2s_probed_fn *probed, void *arg)
{
	struct s2s_probe *probe;
	struct s2s_pair *p;
	size_t place = 0;

	while (place < S2S_PROBES_MAX && port->probes[place])
		place++;
	if (place == S2S_PROBES_MAX || port->stopping)
		return false;
	p = s2s_pair_create(port, local, remote, ++port->probes_begun);
	probe = xcalloc(1, sizeof(*probe));
	*probe = (struct s2s_probe){
		.pair = p, .probed = probed, .arg = arg, .deadline.fire = on_deadline
	};
	p->probe = probe;
	port->probes[place] = p;
	loop_arm(p->worker->loop, &probe->deadline, S2S_PROBE_MS);
	s2s_pair_need(p);
	return true;
}
