// SPDX-License-Identifier: GPL-2.0
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <time.h>
#include "test.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif
#define ORIGINAL_DST 80
#define TCP_REPAIR_OPTION 19
#define TCP_FASTOPEN_KEY_OPTION 33

static const struct {
	int level, option;
} unsettable[] = {
	{ SOL_SOCKET, SO_BINDTODEVICE }, { SOL_SOCKET, SO_REUSEPORT }, { SOL_SOCKET, SO_PRIORITY },
	{ SOL_SOCKET, SO_MARK }, { SOL_SOCKET, SO_ATTACH_FILTER }, { SOL_SOCKET, SO_ATTACH_BPF },
	{ SOL_SOCKET, SO_MAX_PACING_RATE }, { SOL_SOCKET, SO_DONTROUTE }, { SOL_SOCKET, SO_BUSY_POLL },
	{ SOL_SOCKET, SO_SNDBUFFORCE }, { SOL_SOCKET, SO_RCVBUFFORCE }, { SOL_SOCKET, SO_TIMESTAMPING },
	{ SOL_SOCKET, SO_INCOMING_CPU }, { SOL_SOCKET, SO_TXTIME }, { SOL_SOCKET, SO_DEBUG },
	{ SOL_SOCKET, 9999 }, { SOL_SOCKET, 62 /* SO_BINDTOIFINDEX */ },
	{ SOL_TCP, TCP_CONGESTION }, { SOL_TCP, 31 /* TCP_ULP */ }, { SOL_TCP, TCP_REPAIR_OPTION },
	{ SOL_TCP, TCP_MD5SIG }, { SOL_TCP, TCP_FASTOPEN_KEY_OPTION }, { SOL_TCP, TCP_FASTOPEN },
	{ SOL_TCP, 30 /* TCP_FASTOPEN_CONNECT */ }, { SOL_TCP, TCP_SAVE_SYN }, { SOL_TCP, TCP_DEFER_ACCEPT },
	{ SOL_IP, IP_TRANSPARENT }, { SOL_IP, IP_FREEBIND }, { SOL_IP, IP_OPTIONS }, { SOL_IP, IP_TTL },
	{ SOL_IP, IP_RECVERR }, { SOL_IP, IP_PKTINFO }, { SOL_IP, IP_UNICAST_IF }, { SOL_IP, IP_MTU_DISCOVER },
	{ SOL_IP, IP_BIND_ADDRESS_NO_PORT }, { SOL_IP, IP_ADD_MEMBERSHIP }, { SOL_IP, IP_HDRINCL },
	{ SOL_IPV6, IPV6_ADDRFORM }, { SOL_IPV6, IPV6_V6ONLY }, { SOL_IPV6, IPV6_RTHDR },
	{ SOL_IPV6, IPV6_RECVPKTINFO }, { SOL_IPV6, IPV6_UNICAST_HOPS }, { SOL_IPV6, 75 /* TRANSPARENT */ },
	{ SOL_IPV6, 78 /* IPV6_FREEBIND */ }, { 282 /* SOL_TLS */, 1 }, { 9999, 1 },
};

static const struct {
	int level, option;
} unreadable[] = {
	{ SOL_SOCKET, SO_BINDTODEVICE }, { SOL_SOCKET, 62 /* SO_BINDTOIFINDEX */ }, { SOL_SOCKET, SO_MARK },
	{ SOL_SOCKET, SO_INCOMING_CPU }, { SOL_SOCKET, SO_INCOMING_NAPI_ID }, { SOL_SOCKET, SO_GET_FILTER },
	{ SOL_SOCKET, SO_PEERSEC }, { SOL_SOCKET, 9999 },
	{ SOL_IP, ORIGINAL_DST }, { SOL_IPV6, ORIGINAL_DST }, { SOL_IP, 64 /* IPT_SO_GET_INFO */ },
	{ SOL_IP, IP_PKTOPTIONS }, { SOL_IP, IP_OPTIONS }, { SOL_IP, IP_MTU }, { SOL_IP, IP_UNICAST_IF },
	{ SOL_IP, IP_MULTICAST_IF }, { SOL_IPV6, IPV6_PATHMTU }, { SOL_IPV6, 6 /* IPV6_2292PKTOPTIONS */ },
	{ SOL_IPV6, IPV6_MTU }, { SOL_TCP, TCP_FASTOPEN_KEY_OPTION }, { SOL_TCP, TCP_SAVED_SYN },
	{ SOL_TCP, TCP_REPAIR_OPTION }, { SOL_TCP, TCP_TIMESTAMP },
};

static const unsigned int controls[] = {
	SIOCGIFCONF, SIOCGIFNAME, SIOCGIFADDR, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFMTU,
	SIOCGIFBRDADDR, SIOCGIFNETMASK, SIOCGIFCOUNT, SIOCSIFFLAGS, SIOCSIFADDR, SIOCETHTOOL, SIOCGMIIPHY,
	SIOCGARP, SIOCADDRT, SIOCGIFMAP, SIOCGIFTXQLEN, SIOCGIFBR, SIOCBRADDBR, SIOCGIFVLAN, SIOCSIFVLAN,
	SIOCDEVPRIVATE, SIOCDEVPRIVATE + 15, 0x8b01 /* SIOCGIWNAME */, 0x8b0b, SIOCWANDEV,
	0x894c /* SIOCGSKNS */,
};

static void attack_addresses(int fd, int family)
{
	struct sockaddr_storage elsewhere, unspecified = { .ss_family = AF_UNSPEC };
	int length, waiting = listener(family, &elsewhere, &length);
	struct iovec vector = { "x", 1 };
	struct msghdr message = {
		.msg_name = &elsewhere, .msg_namelen = length, .msg_iov = &vector, .msg_iovlen = 1,
	};

	/* A connected socket answers EISCONN, as ever; one that is not is refused. */
	EXPECT(connect(fd, (struct sockaddr *)&elsewhere, length) == -1 && (errno == EPERM || errno == EISCONN));
	REFUSED(connect(fd, (struct sockaddr *)&unspecified, sizeof(unspecified)), EPERM);
	REFUSED(connect(fd, (struct sockaddr *)&unspecified, sizeof(unspecified.ss_family)), EPERM);
	REFUSED(sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&elsewhere, length), EPERM);
	REFUSED(sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&elsewhere, length), EPERM);
	REFUSED(sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, NULL, 0), EPERM);
	REFUSED(sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&unspecified,
		       sizeof(unspecified)), EPERM);
	REFUSED(sendmsg(fd, &message, MSG_NOSIGNAL), EPERM);
	REFUSED(sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL), EPERM);
	length = loopback(family, 0, &elsewhere);
	REFUSED(bind(fd, (struct sockaddr *)&elsewhere, length), EPERM);
	REFUSED(listen(fd, 5), EPERM);
	REFUSED(accept(fd, NULL, NULL), EINVAL);
	close(waiting);
}

static void attack_options(int fd)
{
	char value[256];
	unsigned int index;

	for (index = 0; index < sizeof(unsettable) / sizeof(*unsettable); index++) {
		memset(value, 0, sizeof(value));
		errno = 0;
		if (setsockopt(fd, unsettable[index].level, unsettable[index].option, value, 16) != -1 ||
		    errno != EPERM) {
			printf("    set %d, %d\n", unsettable[index].level, unsettable[index].option);
			EXPECT(!"set an option");
		}
	}
	for (index = 0; index < sizeof(unreadable) / sizeof(*unreadable); index++) {
		socklen_t length = sizeof(value);

		errno = 0;
		if (getsockopt(fd, unreadable[index].level, unreadable[index].option, value, &length) != -1 ||
		    errno != EPERM) {
			printf("    get %d, %d\n", unreadable[index].level, unreadable[index].option);
			EXPECT(!"read an option");
		}
	}
}

static void attack_controls(int fd)
{
	char interface[1024];
	unsigned int index;

	for (index = 0; index < sizeof(controls) / sizeof(*controls); index++) {
		memset(interface, 0, sizeof(interface));
		strcpy(interface, "lo");
		errno = 0;
		if (ioctl(fd, controls[index], interface) != -1 || errno != EPERM) {
			printf("    ioctl %#x\n", controls[index]);
			EXPECT(!"controlled");
		}
	}
}

/* Options for one message. */
static void attack_messages(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec vector = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	static const int types[] = { SO_MARK, SO_TIMESTAMPING, SCM_RIGHTS };
	unsigned int index;

	for (index = 0; index < sizeof(types) / sizeof(*types); index++) {
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = types[index];
		part->cmsg_len = CMSG_LEN(sizeof(int));
		REFUSED(sendmsg(fd, &message, MSG_NOSIGNAL), EPERM);
	}
}

void attack(int fd, int family)
{
	attack_addresses(fd, family);
	attack_options(fd);
	attack_controls(fd);
	attack_messages(fd);
}
