package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// The price of the file system itself: each simulated workspace has a
// directory with one small file, as a real one has its disks. On some disks, or
// in some directories of one, this alone is most of a create.
var diskPrice = goal{"(of a create: a directory and a file)", "ms", 0, false}

// priceOfFiles measures the processor time that the kernel takes for a
// directory with a file in it, made and renamed as the daemon does.
func priceOfFiles(dir string, t *table) error {
	const n = 500
	base, err := os.MkdirTemp(dir, "files-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(base)
	before := ownTime()
	for i := range n {
		d := filepath.Join(base, fmt.Sprint(i))
		if err := os.Mkdir(d, 0o711); err != nil {
			return err
		}
		part := filepath.Join(d, "disk.part")
		if err := os.WriteFile(part, []byte("disk"), 0o600); err != nil {
			return err
		}
		if err := os.Rename(part, filepath.Join(d, "disk")); err != nil {
			return err
		}
	}
	t.add(diskPrice, (ownTime()-before).Seconds()*1000/n)
	return nil
}

// ownTime returns the processor time that this process has used.
func ownTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
