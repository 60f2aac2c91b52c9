/*
 * How the node does: what the processes report, put together and judged, as JSON and as text.
 *
 * A process reports snapshot bytes (ipc/snapshot.h). Its records, and who may make them:
 *
 *	control	 node name role pin | process name pid state starts last_end
 *		 revision N | loaded-revision N | listener service address
 *		 notification number severity count description origin created
 *		 stored cp_id | loaded cp_id (xmpps2snodes; the latter if traffic told it)
 *		 certificate setting name not_after names issuer fingerprint uncovered
 *			(seconds since 1970; names: dNSName and SRVName, with commas between;
 *uncovered: federated domains that it does not name, of tls.certificate) level module level until
 *(those at debug; until: seconds since 1970, 0 for good) stanza-log domain until | account name
 *role set|unset diagnostic state began ends lines bytes yes|no author (at most one; state: running,
 *kept; yes: with TLS secrets) capture name running|kept|failed interface packets bytes began why
 *		 setting name value
 *		 domain name on|off node | edge node revision on|off secret | secret fingerprint
 *	traffic	 fault text (of its settings)
 *		 link node role state direction unsettled seconds why realms address
 *		 attachment name state unsettled why yes|no|unknown (federates by itself)
 *		 realm name loaded|stored|both linked|not-linked
 *		 route domain port | default in|out port | route-dead domain why
 *		 static-routes on|off count
 *		 stream in|out xcoder local remote state tls auth stanzas seconds address
 *			valid|invalid|none bytes cipher (address: the peer's; valid: its
 *certificate) peer domain out in waiting retry_seconds failure failed_seconds why stanzas (a domain
 *of the world, of those talked to lately; out, in: ready, connecting, waiting, none; failure: the
 *last one's name, empty if none since the last success; retry_seconds, failed_seconds: empty if
 *none) histogram name le count (cumulative, as in OpenMetrics; le: an upper bound in seconds,
 *"+Inf", or "sum" with microseconds; names: setup_in, setup_out, latency) queue local remote
 *stanzas bytes oldest_seconds | counter name value manage	 tunnel and secret
 *(provision/tunnels.h), home-server (axl/client.h)
 *
 * Others are passed over, and what traffic, which hears strangers, says of control's matters too.
 * A process, a link or an attachment is well when its state is "up", "ready", "open" or "running";
 * any other state is named as what is wrong, and so is each alarm of severity error or critical in
 * "alarms"; its other alarms are warnings. No I/O.
 */
#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H

#include "base/slice.h"
#include "ipc/messages.h"

#include <jansson.h>
#include <stdbool.h>

#define STATUS_ROWS_SHOWN 20 /* of each kind, in the text; the JSON has all */

json_t *status_begin(void);
/* Adds what a process reports; false: that cannot be read, and nothing is added. */
bool status_add(json_t *status, enum process from, struct slice report);
/* It reports nothing; why completes the sentence: "does not answer". */
void status_silent(json_t *status, enum process from, const char *why);
/* When all is there: adds "wrong" and "warnings", lists of sentences, and "verdict", one line. */
void status_judge(json_t *status);

/* For a person: the verdict, then tables. Freed by the caller. */
char *status_text(const json_t *status);
/* The verdict, then a line for each part: all of it on a terminal of 24 lines of 80. */
char *status_brief(const json_t *status);

#endif
