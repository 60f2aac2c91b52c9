#include "process/capture_job.h"

#include "ipc/wire.h"

static bool is_printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < ' ' || text.data[i] > '~')
			return false;
	}
	return true;
}

/* Printable ASCII of at most `max` bytes, terminated. */
static bool get_text(struct wire *in, char *text, size_t max)
{
	struct slice read = wire_get_slice(in);

	if (in->failed || read.len > max || !is_printable(read))
		return false;
	if (read.len)
		memcpy(text, read.data, read.len);
	text[read.len] = '\0';
	return true;
}

void capture_job_put(struct buffer *out, const struct capture_job *job)
{
	wire_put_text(out, job->interface);
	wire_put_u64(out, job->packets);
	wire_put_u64(out, job->bytes);
	wire_put_u32(out, job->snap);
	wire_put_u32(out, job->seconds);
	wire_put_u16(out, (uint16_t)job->ports_count);
	for (size_t i = 0; i < job->ports_count; i++)
		wire_put_u16(out, job->ports[i]);
}

bool capture_job_get(struct slice body, struct capture_job *job)
{
	struct wire in = wire_read(body);

	if (!get_text(&in, job->interface, CAPTURE_INTERFACE_BYTES) || !job->interface[0])
		return false;
	job->packets = wire_get_u64(&in);
	job->bytes = wire_get_u64(&in);
	job->snap = wire_get_u32(&in);
	job->seconds = wire_get_u32(&in);
	job->ports_count = wire_get_u16(&in);
	if (job->ports_count > CAPTURE_PORTS_MAX || !job->snap || job->snap > CAPTURE_SNAP_MAX)
		return false;
	for (size_t i = 0; i < job->ports_count; i++)
		job->ports[i] = wire_get_u16(&in);
	return wire_is_done(&in);
}

void capture_report_put(struct buffer *out, const struct capture_report *report)
{
	wire_put_u8(out, (uint8_t)report->state);
	wire_put_u64(out, report->packets);
	wire_put_u64(out, report->bytes);
	wire_put_u64(out, report->dropped);
	wire_put_u64(out, report->start);
	wire_put_text(out, report->why);
}

bool capture_report_get(struct slice body, struct capture_report *report)
{
	struct wire in = wire_read(body);
	uint8_t state = wire_get_u8(&in);

	report->state = (enum capture_state)state;
	report->packets = wire_get_u64(&in);
	report->bytes = wire_get_u64(&in);
	report->dropped = wire_get_u64(&in);
	report->start = wire_get_u64(&in);
	return get_text(&in, report->why, CAPTURE_WHY_BYTES) && wire_is_done(&in) &&
	       state <= CAPTURE_FAILED && report->start <= CAPTURE_HEAD_BYTES;
}
