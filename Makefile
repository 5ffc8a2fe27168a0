# SPDX-License-Identifier: GPL-2.0
# What a user can ask for; `make help` lists it.  What is built, and how, stands
# in Kbuild.  Everything about the target kernel comes from its tree, nothing
# from the machine that builds.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
INSTALL_MOD_PATH ?= $(DESTDIR)
INSTALL_MOD_DIR ?= updates
# A stock kernel: it is downloaded, noxen would have to be compiled first.
GUEST ?= 6.1-686

MODULES := xen-platform-pci xen-vbd xen-vnif
VERSION := $(shell sed -n 's/^XENPV_VERSION *:= *//p' $(CURDIR)/Kbuild)
CONF := $(DESTDIR)/usr/lib/modprobe.d/xenpv.conf
# The command and the manual pages, as they stand in the tree.
TOOLS := platform-pci/xenpv-doctor
PAGES := $(wildcard platform-pci/man/*.[1-9])
install_tools = install -D -m 755 -t '$(DESTDIR)/usr/sbin' $(TOOLS) \
	$(foreach n,4 8,&& install -D -m 644 -t '$(DESTDIR)/usr/share/man/man$(n)' $(filter %.$(n),$(PAGES)))
installed_tools = $(TOOLS:platform-pci/%=$(DESTDIR)/usr/sbin/%) \
	$(foreach n,4 8,$(patsubst platform-pci/man/%,$(DESTDIR)/usr/share/man/man$(n)/%,$(filter %.$(n),$(PAGES))))
RULES := $(DESTDIR)/usr/lib/udev/rules.d/60-xenpv-disk.rules
DKMS_SRC := $(DESTDIR)/usr/src/xenpv-$(VERSION)
DKMS := dkms -m xenpv -v $(VERSION)

# As uname -r says it, known once a tree is configured and prepared. In Debian's
# older trees kernel.release says something else.
release = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)".*/\1/p' \
	'$(KDIR)/include/generated/utsrelease.h' 2>/dev/null)
installed = $(INSTALL_MOD_PATH)/lib/modules/$(release)/$(INSTALL_MOD_DIR)
kernel = $(MAKE) --no-print-directory -C '$(KDIR)' M='$(CURDIR)'
# The kernel's own depmod would run for a foreign root, too: ours is below.
kernel_install = $(kernel) DEPMOD=true INSTALL_MOD_PATH='$(INSTALL_MOD_PATH)' \
	INSTALL_MOD_DIR='$(INSTALL_MOD_DIR)'

.PHONY: all modules modules_install install uninstall clean help tree \
	demo shell check fuzz bench-disk sparse checkpatch dkms-build dkms-install dkms-uninstall

all: modules

modules: tree
	+@$(kernel) modules

modules_install: modules
	+@$(kernel_install) modules_install
	$(if $(INSTALL_MOD_PATH),,depmod -a '$(release)')

# The softdeps order our modules before the drivers of emulated disks and cards;
# the rules name disks by their identity.
install: modules_install
	install -D -m 644 platform-pci/modprobe.conf '$(CONF)'
	install -D -m 644 blkfront/60-xenpv-disk.rules '$(RULES)'
	$(install_tools)
	@echo "installed for $(release); initrd images are left alone: to have the modules in it, run"
	@echo "update-initramfs -u -k $(release) (Debian, Ubuntu) or dracut -f --kver $(release) (Fedora, SUSE)"

uninstall: tree
	[ ! -d '$(installed)' ] || find '$(installed)' \( $(patsubst %,-name '%.ko*' -o,$(MODULES)) -false \) -type f -delete
	rm -f '$(CONF)' '$(RULES)' $(patsubst %,'%',$(installed_tools))
	$(if $(INSTALL_MOD_PATH),,depmod -a '$(release)')

clean: tree
	+@$(kernel) clean

# One line about a kernel tree that cannot work, instead of a page from inside it.
tree:
	@if [ ! -e '$(KDIR)/Makefile' ]; then \
		echo "error: no kernel tree at $(KDIR): install the headers of kernel $(KVER) (apt install linux-headers-$(KVER), dnf install kernel-devel-$(KVER), zypper install kernel-default-devel) or give KDIR=" >&2; \
		exit 1; \
	elif [ ! -e '$(KDIR)/include/config/auto.conf' ] || [ -z '$(release)' ]; then \
		echo "error: $(KDIR) is not a kernel tree that modules can be built against: configure it and run 'make modules_prepare' there, or give KDIR=" >&2; \
		exit 1; \
	fi

sparse: tree
	@command -v sparse >/dev/null || { \
		echo "error: sparse is not installed (apt install sparse)" >&2; exit 1; }
	+@$(kernel) C=2 CF=-D__CHECK_ENDIAN__ modules

checkpatch: tree
	@script=; for dir in '$(KDIR)' '$(KDIR)/source'; do \
		[ ! -e "$$dir/scripts/checkpatch.pl" ] || script=$$dir/scripts/checkpatch.pl; \
	done; \
	[ -n "$$script" ] || { \
		echo "error: $(KDIR) has no scripts/checkpatch.pl: give KDIR= of a full source tree" >&2; exit 1; }; \
	perl "$$script" --no-tree --strict --terse --show-types -f \
		$$(find include platform-pci xenbus blkfront netfront -name '*.[ch]')

demo:
	@tests/demo.sh '$(GUEST)'

shell:
	@tests/xen/bed.sh shell '$(GUEST)'

check:
	@tests/check.sh

fuzz: check-fuzz

check-%:
	@tests/check.sh $*

bench-disk:
	@tests/bench/disk.sh $(BENCH)

# What dkms runs.  A kernel that we cannot serve must not fail the installation
# of that kernel: its modules say why when they are loaded, and do nothing else.
dkms-build: tree
	+@$(kernel) modules || { \
		echo "xenpv $(VERSION) does not build for $(release); building modules that refuse to load" >&2; \
		$(kernel) clean && $(kernel) XPV_REFUSE=1 modules; }

dkms-install:
	@[ -n '$(DESTDIR)' ] || command -v dkms >/dev/null || { \
		echo "error: dkms is not installed (apt install dkms)" >&2; exit 1; }
	rm -rf '$(DKMS_SRC)'
	install -d '$(DKMS_SRC)'
	cp -a Makefile Kbuild dkms.conf README.md '$(DKMS_SRC)'
	find include platform-pci xenbus blkfront netfront \
		\( -name '*.[ch]' -o -name '*.sh' -o -name '*.conf' -o -name '*.rules' -o -name 'xenpv-*' -o -name '*.[1-9]' -o -name ABI \) \
		-exec cp -a --parents -t '$(DKMS_SRC)' {} +
	install -D -m 644 platform-pci/modprobe.conf '$(CONF)'
	install -D -m 644 blkfront/60-xenpv-disk.rules '$(RULES)'
	$(install_tools)
	$(if $(DESTDIR),,$(DKMS) add)
	$(if $(DESTDIR),,$(DKMS) -k '$(KVER)' build)
	$(if $(DESTDIR),,$(DKMS) -k '$(KVER)' install)

dkms-uninstall:
	$(if $(DESTDIR),,-$(DKMS) --all remove)
	rm -rf '$(DKMS_SRC)'
	rm -f '$(CONF)' '$(RULES)' $(patsubst %,'%',$(installed_tools))

help:
	@echo 'On a guest, or for one:'
	@echo '  all              build the three modules (default)'
	@echo '  modules_install  install them; no depmod when INSTALL_MOD_PATH is set'
	@echo '  install          the same, the load order for modprobe, udev rules for disks,'
	@echo '                   xenpv-doctor and the manual pages'
	@echo '  uninstall        take both away again'
	@echo '  dkms-install     have dkms build them for this and every later kernel'
	@echo '  dkms-uninstall   take them out of dkms again'
	@echo '  clean            remove what was built'
	@echo 'To see it at work, on any Debian 12 machine (root; no Xen, no guest needed):'
	@echo '  demo             emulated and PV disk and card of a guest, side by side'
	@echo '  shell            a root prompt in a guest on a real Xen host'
	@echo '  check            all tests; ends with "N passed, N failed, N skipped"'
	@echo '  fuzz             any input for the pure parts, for a minute (clang)'
	@echo '  check-all        these and the long ones    check-disk   those of the disk driver'
	@echo '  check-NAME       one part of them; make check-help lists the parts'
	@echo 'For work on the code:'
	@echo '  bench-disk       our disk driver beside the kernel'"'"'s own and the emulated disk, in'
	@echo '                   instructions a request; QUICK=1: few minutes (tests/bench/disk.sh)'
	@echo '  sparse           build with sparse on every file'
	@echo '  checkpatch       the kernel'"'"'s style checker (KDIR= of a full source tree)'
	@echo 'Variables:'
	@echo '  KVER=release     kernel to build for (the running one)'
	@echo '  KDIR=directory   its tree (/lib/modules/KVER/build)'
	@echo '  DESTDIR= INSTALL_MOD_PATH=  root directory to install into'
	@echo '  INSTALL_MOD_DIR=            below lib/modules/KVER (updates)'
	@echo '  GUEST=name       kernel of the guest for demo and shell (6.1-686); tests/kernels/kernels.sh list boot'
	@echo '  BENCH=...        arguments of tests/bench/disk.sh'
	@echo '  V=1 W=1 LLVM=1 CC=...       as for the kernel'
