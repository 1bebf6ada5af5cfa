package image

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/philoxenia/philoxenia/service/change"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	stageIn  = "stage in"
	stageOut = "stage out"
)

// staged is the key in the spool of what is staged for a workspace.
func staged(op string, id workspace.ID) string { return op + "\n" + id.String() }

// unstage removes what was kept of a workspace's staging that was broken off.
func (im *Images) unstage(_ context.Context, r *change.Run) (change.Commit, error) {
	if r.Workspace == nil {
		return nil, nil
	}
	return nil, errors.Join(im.spool.forget(staged(stageIn, r.Workspace.ID)),
		im.spool.forget(staged(stageOut, r.Workspace.ID)))
}

// StageIn brings a file from where the request has it to one of the site's
// repositories, before the images of the workspace are propagated from there.
func (im *Images) StageIn() change.Handler {
	return change.Handler{Do: func(ctx context.Context, r *change.Run) (change.Commit, error) {
		return nil, im.stage(ctx, r, stageIn, r.Workspace.Spec.StageIn)
	}, Undo: im.unstage}
}

// StageOut brings a file from one of the site's repositories to where the
// request wants it, after the root disk was returned.
func (im *Images) StageOut() change.Handler {
	return change.Handler{Do: func(ctx context.Context, r *change.Run) (change.Commit, error) {
		return nil, im.stage(ctx, r, stageOut, r.Workspace.Spec.StageOut)
	}}
}

// CheckStage says whether the site's transports serve both ends of the transfer,
// and what is at its source; asks is whether that has to be there now.
func (im *Images) CheckStage(
	ctx context.Context, t *workspace.Transfer, asks bool,
) (info workspace.ImageInfo, err error) {
	if _, _, err := sumOf(t); err != nil {
		return info, err
	}
	if err := im.CheckTarget(t.Destination); err != nil {
		return info, err
	}
	if !asks {
		return info, im.CheckTarget(t.Source)
	}
	return im.Check(ctx, t.Source)
}

// stage passes the file through the spool, where it is held against its checksum. What has
// come of it, here or at its destination, is gone on with when it is tried again.
func (im *Images) stage(
	ctx context.Context, r *change.Run, op string, t *workspace.Transfer,
) (err error) {
	from, err := im.transport(t.Source)
	if err != nil {
		return err
	}
	to, err := im.transport(t.Destination)
	if err != nil {
		return err
	}
	sum, kind, err := sumOf(t)
	if err != nil {
		return err
	}
	info, err := from.Check(ctx, t.Source)
	if err != nil {
		return err
	}
	s, err := im.spool.take(staged(op, r.Workspace.ID), info.Size)
	if err != nil {
		return err
	}
	defer func() { err = s.leave(err) }()
	share, leave := im.link.enter()
	defer leave()
	f := workspace.Fetch{
		Location: t.Source, Path: s.path, Progress: halfOf(r.Progress, 0), Rate: share,
		Promised: info.Size,
	}
	if info.Format == "" { // it grows when it comes
		f.MaxBytes = im.spool.limit
	}
	if kind == "sha256" {
		f.SHA256 = sum
	}
	if _, err := from.Fetch(ctx, f); err != nil {
		return s.short(err)
	}
	if err := verify(s.path, sum, kind); err != nil {
		return workspace.Errorf(workspace.KindOf(err), op, t.Source, "%w", err)
	}
	_, err = to.Deliver(ctx, workspace.Deliver{
		Path: s.path, Location: t.Destination, Progress: halfOf(r.Progress, 1), Rate: share})
	return err
}

// sums are the types of checksum that a request may name.
var sums = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New,
}

// sumOf returns the checksum that the request gives, in lower case, and its type;
// empty where it gives none.
func sumOf(t *workspace.Transfer) (sum, kind string, err error) {
	sum = strings.ToLower(strings.TrimSpace(t.Checksum))
	kind = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(t.ChecksumType)), "-", "")
	if sum == "" && kind == "" {
		return "", "", nil
	}
	make, known := sums[kind]
	if !known {
		return "", "", workspace.Errorf(workspace.Invalid, "read the checksum", t.Source,
			"its type is %q, expected md5, sha1, sha256 or sha512", t.ChecksumType)
	}
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != make().Size() {
		return "", "", workspace.Errorf(workspace.Invalid, "read the checksum", t.Source,
			"%.200q is no %s of %d hexadecimal digits", t.Checksum, kind, 2*make().Size())
	}
	return sum, kind, nil
}

// verify holds a file of this machine against a checksum, if there is one.
func verify(path, sum, kind string) error {
	if sum == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sums[kind]()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return workspace.Refuse(workspace.Invalid, "its %s is %s, expected %s", kind, got, sum)
	}
	return nil
}
