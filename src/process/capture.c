/*
 * sallyport-capture: captures packets, once, and ends. It opens its socket by libpcap, gives up all
 * rights, and can from then on only write into the file that control gave it. The TLS secrets of
 * the streams that were chosen come from traffic; they are in that file and nowhere else.
 */
#include "base/alloc.h"
#include "ipc/startup.h"
#include "ipc/wire.h"
#include "net/messenger.h"
#include "process/capture_job.h"
#include "process/pcapng.h"
#include "tables/events.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RING_BYTES (16 << 20) /* what the kernel keeps for us while we write */
#define RING_MS 100	      /* a part of it that is not full is ours after that */
#define PACKETS_A_TURN 512    /* then others get theirs */
#define WRITE_BYTES 262144    /* packets are written in pieces of about that size */
#define LATE_MS 300	      /* for packets and secrets that are on their way as it ends */
#define TELL_MS 500	      /* how far it is */
#define JOB_MS 10000	      /* control has written it before we run */
#define LINKTYPE_RAW 101      /* begins with the IP header */

static struct {
	struct loop *loop;
	struct messenger *control, *traffic;
	struct capture_job job;
	struct capture_report report;
	int file;
	pcap_t *pcap;
	struct loop_io packets;
	struct buffer unwritten, secrets;
	bool secrets_cut;
	struct timer time, late, tell;
	bool ending;
} capture;

static void tell(void)
{
	struct buffer body = { 0 };

	capture_report_put(&body, &capture.report);
	messenger_send(capture.control, MESSAGE_CAPTURE_STATE, 0,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

/* Opening, with the rights that we still have */

static void add_ports(struct buffer *filter)
{
	for (size_t i = 0; i < capture.job.ports_count; i++)
		buffer_printf(filter, "%sport %u", i ? " or " : "", capture.job.ports[i]);
}

static bool fail_open(const char *what, char **why)
{
	*why = xasprintf("%s: %s", what, pcap_geterr(capture.pcap));
	return false;
}

static bool set_filter(char **why)
{
	struct bpf_program program;
	struct buffer text = { 0 };
	char *filter;
	bool set;

	if (!capture.job.ports_count)
		return true;
	add_ports(&text);
	filter = buffer_take_text(&text);
	if (pcap_compile(capture.pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		free(filter);
		return fail_open("filter", why);
	}
	set = pcap_setfilter(capture.pcap, &program) == 0;
	pcap_freecode(&program);
	free(filter);
	return set || fail_open("filter", why);
}

static char *why_not_activated(int result)
{
	const char *interface = capture.job.interface;

	switch (result) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return xasprintf("no such interface: %s", interface);
	case PCAP_ERROR_PERM_DENIED:
		return xstrdup("not permitted: it takes CAP_NET_RAW, which sallyportd does not "
			       "have here");
	case PCAP_ERROR_IFACE_NOT_UP:
		return xasprintf("the interface %s is down", interface);
	default:
		return xasprintf("%s: %s", interface,
				 *pcap_geterr(capture.pcap) ? pcap_geterr(capture.pcap)
							    : pcap_statustostr(result));
	}
}

/* Not promiscuous: what is not ours is nobody's business here. */
static bool activate(char **why)
{
	int result;

	pcap_set_snaplen(capture.pcap, (int)capture.job.snap);
	/* Not in immediate mode: there each packet has a slot for the largest one, and 30 fill it.
	 */
	pcap_set_timeout(capture.pcap, RING_MS);
	pcap_set_buffer_size(capture.pcap, RING_BYTES);
	pcap_set_tstamp_precision(capture.pcap, PCAP_TSTAMP_PRECISION_NANO);
	result = pcap_activate(capture.pcap);
	if (result >= 0)
		return true;
	*why = why_not_activated(result);
	return false;
}

static bool open_interface(char **why)
{
	const char *interface = capture.job.interface;
	char error[PCAP_ERRBUF_SIZE] = "";

	if (strcmp(interface, "any") != 0 && !if_nametoindex(interface)) {
		*why = xasprintf("no such interface: %s", interface);
		return false;
	}
	capture.pcap = pcap_create(interface, error);
	if (!capture.pcap) {
		*why = xasprintf("%s: %s", interface, error);
		return false;
	}
	if (!activate(why) || !set_filter(why))
		return false;
	return pcap_setnonblock(capture.pcap, 1, error) == 0 || fail_open("socket", why);
}

/* The file: packets behind the place that is kept for what stands before them */

static bool write_all(struct buffer *bytes)
{
	while (buffer_len(bytes)) {
		ssize_t n = write(capture.file, buffer_data(bytes), buffer_len(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buffer_consume(bytes, (size_t)n);
	}
	return true;
}

static void leave(struct timer *timer)
{
	loop_stop(capture.loop);
}

static void fail(const char *why)
{
	capture.report.state = CAPTURE_FAILED;
	snprintf(capture.report.why, sizeof(capture.report.why), "%s", why);
	loop_stop(capture.loop);
}

static void write_packets(void)
{
	if (!write_all(&capture.unwritten))
		fail("its packets cannot be written: no memory is left for them");
}

/* Whatever is read now still counts. */
static void end(const char *why)
{
	if (capture.ending)
		return;
	capture.ending = true;
	snprintf(capture.report.why, sizeof(capture.report.why), "%s", why);
	loop_disarm(capture.loop, &capture.time);
	loop_arm(capture.loop, &capture.late, LATE_MS);
}

static void end_at_limit(const char *why)
{
	end(why);
	loop_unwatch(&capture.packets);
	pcap_breakloop(capture.pcap);
}

static void on_packet(u_char *user, const struct pcap_pkthdr *head, const u_char *bytes)
{
	uint64_t time_ns = (uint64_t)head->ts.tv_sec * 1000000000 + (uint64_t)head->ts.tv_usec;
	size_t len = pcapng_packet_bytes(head->caplen);

	if (capture.report.packets >= capture.job.packets)
		return;
	if (capture.report.bytes + len > capture.job.bytes) {
		end_at_limit("it has as many bytes as limits.capture_bytes allows");
		return;
	}
	pcapng_packet(&capture.unwritten, time_ns, head->len,
		      (struct slice){ (const char *)bytes, head->caplen });
	capture.report.packets++;
	capture.report.bytes += len;
	if (capture.report.packets == capture.job.packets)
		end_at_limit("it has as many packets as were asked for");
}

static void on_packets(struct loop_io *io, bool readable, bool writable)
{
	int got = pcap_dispatch(capture.pcap, PACKETS_A_TURN, on_packet, NULL);

	if (got == PCAP_ERROR)
		fail(pcap_geterr(capture.pcap));
	if (buffer_len(&capture.unwritten) >= WRITE_BYTES)
		write_packets();
}

/* What was read in this turn is in the file before control is told of it. */
static void on_tell(struct timer *timer)
{
	static uint64_t told;
	struct pcap_stat stat;

	if (pcap_stats(capture.pcap, &stat) == 0)
		capture.report.dropped = stat.ps_drop;
	write_packets();
	if (told != capture.report.packets)
		tell();
	told = capture.report.packets;
	loop_arm(capture.loop, &capture.tell, TELL_MS);
}

static void on_time(struct timer *timer)
{
	end("its time is over");
}

/* libpcap numbers most kinds as its files do; of those that a Linux interface has, all but one. */
static uint16_t link_type(int kind)
{
	return kind == DLT_RAW ? LINKTYPE_RAW : (uint16_t)kind;
}

/* Secrets before packets (process/pcapng.h). */
static void write_head(void)
{
	struct pcapng_interface interface = {
		.name = capture.job.interface,
		.link_type = link_type(pcap_datalink(capture.pcap)),
		.snap = capture.job.snap,
	};
	struct buffer head = { 0 };

	pcapng_begin(&head, "sallyport " SALLYPORT_RELEASE, &interface,
		     (struct slice){ buffer_data(&capture.secrets), buffer_len(&capture.secrets) });
	capture.report.start = CAPTURE_HEAD_BYTES - buffer_len(&head);
	capture.report.bytes += buffer_len(&head);
	if (lseek(capture.file, (off_t)capture.report.start, SEEK_SET) < 0 || !write_all(&head))
		fail("its file cannot be written");
	buffer_finish(&head);
}

static void complete(void)
{
	struct pcap_stat stat;

	if (capture.report.state == CAPTURE_FAILED)
		return;
	if (pcap_stats(capture.pcap, &stat) == 0)
		capture.report.dropped = stat.ps_drop;
	write_packets();
	write_head();
	if (capture.report.state == CAPTURE_RUNNING)
		capture.report.state = CAPTURE_ENDED;
}

/* The others */

static void from_traffic(void *arg, struct message *message)
{
	if (message->type != MESSAGE_SECRET || capture.secrets_cut)
		return;
	if (buffer_len(&capture.secrets) + message->body.len + 1 > CAPTURE_SECRETS_BYTES) {
		capture.secrets_cut = true;
		log_event(EVENT_CAPTURE_FAILED,
			  "why=\"the secrets of more streams than fit: later ones stay unread\"");
		return;
	}
	buffer_append_slice(&capture.secrets, message->body);
	buffer_append_text(&capture.secrets, "\n");
}

static void traffic_gone(void *arg)
{
	messenger_destroy(&capture.traffic);
}

static void meet_traffic(int fd)
{
	static const struct messenger_handler handler = { from_traffic, traffic_gone };

	messenger_destroy(&capture.traffic);
	capture.traffic = messenger_create(capture.loop, fd, PROCESS_CAPTURE, PROCESS_TRAFFIC,
					   &handler, NULL);
}

static void from_control(void *arg, struct message *message)
{
	struct wire in = wire_read(message->body);

	switch (message->type) {
	case MESSAGE_CAPTURE_END:
		end("it was ended");
		break;
	case MESSAGE_PEER:
		if (wire_get_u8(&in) == PROCESS_TRAFFIC)
			meet_traffic(message_take_fd(message));
		break;
	case MESSAGE_SHUTDOWN:
		fail("it was broken off");
		break;
	default:
		break;
	}
}

static void control_gone(void *arg)
{
	fail("control is gone");
}

/* The channel is read by hand only here: the job stands behind the start. */
static bool receive_job(struct startup *startup, char **why)
{
	struct message message;

	if (channel_wait(startup->control, &message, JOB_MS) == CHANNEL_MESSAGE &&
	    message.type == MESSAGE_CAPTURE && capture_job_get(message.body, &capture.job)) {
		capture.file = message_take_fd(&message);
		if (lseek(capture.file, CAPTURE_HEAD_BYTES, SEEK_SET) == CAPTURE_HEAD_BYTES)
			return true;
	}
	*why = xstrdup("control gave no job that can be done");
	return false;
}

static void serve(void)
{
	capture.packets.ready = on_packets;
	capture.packets.fd = pcap_get_selectable_fd(capture.pcap);
	capture.time.fire = on_time;
	capture.late.fire = leave;
	capture.tell.fire = on_tell;
	loop_watch(capture.loop, &capture.packets, true, false);
	loop_arm(capture.loop, &capture.time, (uint64_t)capture.job.seconds * 1000);
	loop_arm(capture.loop, &capture.tell, TELL_MS);
	tell();
	loop_run(capture.loop);
	complete();
	tell();
}

static void finish(void)
{
	loop_unwatch(&capture.packets);
	loop_disarm(capture.loop, &capture.time);
	loop_disarm(capture.loop, &capture.late);
	loop_disarm(capture.loop, &capture.tell);
	messenger_destroy(&capture.traffic);
	messenger_destroy(&capture.control);
	loop_destroy(&capture.loop);
	pcap_close(capture.pcap);
	buffer_finish(&capture.unwritten);
	buffer_finish(&capture.secrets);
}

static void connect_all(struct startup *startup)
{
	static const struct messenger_handler handler = { from_control, control_gone };

	capture.loop = loop_create();
	loop_guard(capture.loop, LOOP_GUARD_S);
	capture.control =
		messenger_adopt(capture.loop, &startup->control, PROCESS_CONTROL, &handler, NULL);
	if (startup->peers[PROCESS_TRAFFIC] >= 0)
		meet_traffic(startup->peers[PROCESS_TRAFFIC]);
}

/* It has told control why; that is no failure of the process. */
static int refuse(char *why)
{
	capture.report.state = CAPTURE_FAILED;
	snprintf(capture.report.why, sizeof(capture.report.why), "%s", why);
	free(why);
	tell();
	messenger_destroy(&capture.traffic);
	messenger_destroy(&capture.control);
	loop_destroy(&capture.loop);
	if (capture.pcap)
		pcap_close(capture.pcap);
	return EXIT_SUCCESS;
}

int main(void)
{
	struct startup startup;
	char *why = NULL;
	const char *wall;

	if (!startup_receive(&startup, PROCESS_CAPTURE, &wall)) {
		log_event(EVENT_PROCESS_FAILED, "why=\"%s\"", wall);
		return EXIT_FAILURE;
	}
	if (!receive_job(&startup, &why) || !open_interface(&why)) {
		connect_all(&startup);
		snapshot_destroy(&startup.snapshot);
		return refuse(why);
	}
	if (!startup_enter_sandbox(startup.snapshot, PROCESS_CAPTURE, &wall))
		return EXIT_FAILURE; /* it has said why */
	snapshot_destroy(&startup.snapshot);
	startup_ready(startup.control);
	connect_all(&startup);
	serve();
	log_event(EVENT_PROCESS_STOP, "pid=%d", (int)getpid());
	finish();
	return EXIT_SUCCESS;
}
