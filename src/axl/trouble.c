#include "axl/sync.h"

/* What an operator reads of each (symptoms 1 to 6). */
static const struct {
	const char *name;
	bool final;
	const char *cause, *fix;
} troubles[AXL_TROUBLES] = {
	[AXL_WELL] = { "well", false, "the table is as it should be", "nothing to do" },
	[AXL_LOGIN] = { "login", true, "the user name or password is wrong (401)",
			"set the right one with sallyport home-server password, or the server's "
			"own password; try it at https://SERVER:8443/axl" },
	[AXL_ROLE] = { "role", true, "the user may log in but not use AXL (403): a role is missing",
		       "give the user the roles Standard CCM Admin Users and Standard AXL API "
		       "Access on the home server, then sallyport home-server refresh" },
	[AXL_VERSION] = { "version", true,
			  "the home server takes none of the AXL schema versions 14.0, 12.5, 11.5 "
			  "and 9.1 (599)",
			  "allow one of them on the home server (axl.versions), then sallyport "
			  "home-server refresh" },
	[AXL_BUSY] = { "busy", false, "the home server has too many changes waiting (503)",
		       "nothing to do unless it stays so: it is asked again" },
	[AXL_FAULT] = { "fault", false, "the home server refused the statement with a fault (500)",
			"read the fault: the table xmpps2snodes must be there and the user may "
			"change it" },
	[AXL_TLS] = { "tls", false,
		      "TLS failed: the home server's certificate is not the right one",
		      "correct host, pin or verify of the home server, or add its issuer to "
		      "axl.trust" },
	[AXL_REFUSED] = { "refused", false, "the connection was refused: nothing listens there",
			  "start the AXL service on the home server; check the port (8443)" },
	[AXL_UNREACHABLE] = { "unreachable", false, "the home server cannot be reached",
			      "check its address, the route, and that firewalls let 8443 through" },
	[AXL_TIMEOUT] = { "timeout", false, "the home server did not answer in time",
			  "check that firewalls let 8443 through and that the AXL service works" },
	[AXL_NO_ADDRESS] = { "no-address", false, "the home server's name has no address",
			     "correct the name in home_servers, or the DNS" },
	[AXL_GIBBERISH] = { "gibberish", false, "what answers there does not speak AXL",
			    "correct host and port in home_servers; 8443 is usual" },
};

const char *axl_trouble_name(enum axl_trouble trouble)
{
	return troubles[trouble].name;
}

const char *axl_trouble_cause(enum axl_trouble trouble)
{
	return troubles[trouble].cause;
}

const char *axl_trouble_fix(enum axl_trouble trouble)
{
	return troubles[trouble].fix;
}

bool axl_trouble_is_final(enum axl_trouble trouble)
{
	return troubles[trouble].final;
}
