# SPDX-License-Identifier: GPL-2.0
# What a user can ask for; `make help` lists it.  What is built, and how, stands
# in Kbuild.  Everything about the target kernel comes from its tree, nothing
# from the machine that builds.

#| On a guest, or for one:
#|   all              build the three modules (default)
#|   sign             sign them with KEY, for kernels that ask for that (Secure Boot)
#|   modules_install  install them; no depmod when INSTALL_MOD_PATH is set
#|   install          the same, the load order for modprobe, udev rules, initrd settings,
#|                    xenpv-doctor and the manual pages
#|   uninstall        take all of it away again
#|   dkms-install     have dkms build them for this and every later kernel, and the same files
#|   dkms-uninstall   take them out of dkms again
#|   clean            remove what was built
#| Packages, into OUT:
#|   deb rpm          for dkms; both are built on Debian 12
#|   dist             the sources as xenpv-VERSION.tar.xz, the same bytes each time
#| To see it at work, on any Debian 12 machine (root; no Xen, no guest needed):
#|   demo             emulated and PV disk and card of a guest, side by side
#|   shell            a root prompt in a guest on a real Xen host
#|   check            all tests; ends with "N passed, N failed, N skipped"
#|   fuzz             any input for the pure parts, for a minute (clang)
#|   check-all        these and the long ones
#|   check-disk check-net check-lifecycle   all that is about disks, cards, a guest's life
#|   check-NAME       one part of them; make check-help lists the parts
#|   tested           the results of the last check as a table in README.md
#| For work on the code:
#|   bench-disk bench-net   our driver beside the kernel's own and the emulated device, in
#|                    instructions a request; QUICK=1: few minutes (tests/bench/bench.sh)
#|   bench-platform   time from load and from resume to the first I/O, memory, the cost of an
#|                    event, beside the kernel's own drivers
#|   sparse           build with sparse on every file
#|   checkpatch       the kernel's style checker (KDIR= of a full source tree)
#| What those run: modules (as all), tree (is KDIR usable?), dkms-build, dkms-files.
#| Variables:
#|   KVER=release     kernel to build for (the running one)
#|   KDIR=directory   its tree (/lib/modules/KVER/build)
#|   MO=directory     build there and leave this tree as it is (for any kernel)
#|   DESTDIR= INSTALL_MOD_PATH=  root directory to install into
#|   INSTALL_MOD_DIR=            below lib/modules/KVER (updates)
#|   KEY= CERT=       files for sign (those of dkms)
#|   OUT=directory    for packages (results)
#|   GUEST=name       kernel of the guest for demo and shell (6.1-686); tests/kernels/kernels.sh list boot
#|   BENCH=...        arguments of tests/bench/bench.sh
#|   V=1 W=1 CC=... -j           as for the kernel
#|   LLVM=1           with clang; by itself where the kernel was built by clang, and
#|                    refused where it was not

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
INSTALL_MOD_PATH ?= $(DESTDIR)
INSTALL_MOD_DIR ?= updates
# A stock kernel: it is downloaded, noxen would have to be compiled first.
GUEST ?= 6.1-686

# Where packages and the tarball are put.
OUT ?= results
# The key that dkms makes; its certificate is what mokutil enrols.
KEY ?= /var/lib/dkms/mok.key
CERT ?= /var/lib/dkms/mok.pub

MODULES := xen-platform-pci xen-vbd xen-vnif
SOURCES := Kbuild include platform-pci xenbus blkfront netfront
VERSION := $(shell sed -n 's/^XENPV_VERSION *:= *//p' $(CURDIR)/Kbuild)
PACKAGING := platform-pci/packaging
DKMS_SRC := $(DESTDIR)/usr/src/xenpv-$(VERSION)

# MO=: the sources are linked into that directory and built there. Kernels from 6.13
# on have such a thing of their own; this one is the same for all of them, and theirs
# must not see the variable.
build := $(if $(MO),$(abspath $(MO)),$(CURDIR))

# What the kernel tree was configured for, known once it is prepared. As uname -r
# says it: in Debian's older trees kernel.release says something else.
release = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)".*/\1/p' \
	'$(KDIR)/include/generated/utsrelease.h' 2>/dev/null)
compiler := $(shell sed -n 's/^CONFIG_CC_IS_\(GCC\|CLANG\)=y/\1/p' '$(KDIR)/include/config/auto.conf' 2>/dev/null)
# Kbuild heeds CC on the command line alone.
cc_given := $(if $(filter command,$(origin CC)),$(CC))
with_clang := $(LLVM)$(findstring clang,$(cc_given))
# The flags of a kernel built by clang are clang's: nobody should have to say so.
llvm := $(if $(filter CLANG,$(compiler)),$(if $(LLVM)$(cc_given),,LLVM=1))

installed = $(INSTALL_MOD_PATH)/lib/modules/$(release)/$(INSTALL_MOD_DIR)
kernel = $(MAKE) --no-print-directory -C '$(KDIR)' M='$(build)' MO= $(llvm)
# The kernel's own depmod would run for a foreign root, too: ours is below.
kernel_install = $(kernel) DEPMOD=true INSTALL_MOD_PATH='$(INSTALL_MOD_PATH)' \
	INSTALL_MOD_DIR='$(INSTALL_MOD_DIR)'

.PHONY: all modules modules_install install uninstall clean help tree sign \
	demo shell check fuzz tested bench-disk bench-net bench-platform sparse checkpatch \
	dkms-files dkms-build dkms-install dkms-uninstall dist deb rpm

all: modules

modules: tree
	+@$(kernel) modules

modules_install: modules
	+@$(kernel_install) modules_install
	$(if $(INSTALL_MOD_PATH),,depmod -a '$(release)')

install: modules_install
	@sh $(PACKAGING)/files.sh install '$(DESTDIR)'
	@echo "installed for $(release); initrd images are left alone: to have the modules in it, run"
	@echo "update-initramfs -u -k $(release) (Debian, Ubuntu) or dracut -f --kver $(release) (Fedora, SUSE)"

uninstall: tree
	[ ! -d '$(installed)' ] || find '$(installed)' \( $(patsubst %,-name '%.ko*' -o,$(MODULES)) -false \) -type f -delete
	@sh $(PACKAGING)/files.sh uninstall '$(DESTDIR)'
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
	elif [ '$(compiler)' = GCC ] && [ -n '$(with_clang)' ]; then \
		echo "error: kernel $(release) was built by gcc, and clang does not take the flags in its tree: build without LLVM=1 and CC=clang" >&2; \
		exit 1; \
	fi
	$(if $(MO),@sh $(PACKAGING)/link.sh '$(build)' $(SOURCES))

sign: modules
	@sh $(PACKAGING)/sign.sh '$(KDIR)' '$(KEY)' '$(CERT)' $(MODULES:%='$(build)/%.ko')

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

tested:
	@tests/tested.sh --into README.md

bench-disk bench-net bench-platform:
	@tests/bench/bench.sh $(@:bench-%=%) $(BENCH)

# What dkms runs.  A kernel that we cannot serve must not fail the installation
# of that kernel: its modules say why when they are loaded, and do nothing else.
dkms-build: tree
	+@$(kernel) modules || { \
		echo "xenpv $(VERSION) does not build for $(release); building modules that refuse to load" >&2; \
		$(kernel) clean && $(kernel) XPV_REFUSE=1 modules; }

# What dkms needs of this tree, below DESTDIR.
dkms-files:
	rm -rf '$(DKMS_SRC)'
	install -d '$(DKMS_SRC)'
	cp Makefile dkms.conf README.md '$(DKMS_SRC)'
	find $(SOURCES) \( -name Kbuild -o -name '*.[ch]' -o -name '*.sh' \) \
		-exec cp -p --parents -t '$(DKMS_SRC)' {} +

dkms-install: dkms-files
	@sh $(PACKAGING)/files.sh install '$(DESTDIR)'
	$(if $(DESTDIR),,@sh $(PACKAGING)/dkms.sh install $(VERSION) '$(KVER)')

dkms-uninstall:
	$(if $(DESTDIR),,@sh $(PACKAGING)/dkms.sh remove $(VERSION))
	rm -rf '$(DKMS_SRC)'
	@sh $(PACKAGING)/files.sh uninstall '$(DESTDIR)'

dist:
	@sh $(PACKAGING)/dist.sh '$(OUT)' $(VERSION)

deb:
	@MAKE='$(MAKE)' sh $(PACKAGING)/deb.sh '$(OUT)' $(VERSION)

rpm: dist
	@sh $(PACKAGING)/rpm.sh '$(OUT)' $(VERSION)

help:
	@sed -n 's/^#| \?//p' $(firstword $(MAKEFILE_LIST))
