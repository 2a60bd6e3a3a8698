# What the windows say in English.
#
# One entry for each id; every language has the same ids. Commands print these texts too: their
# output is always English.


## Everywhere

close = Close
cancel = Cancel
between-sentences = {" "}
between-names = {", "}
peer = { $program } (pid { $pid })
peer-reading = { $program } (pid { $pid }, reading)
peer-and-more = { $name } and { $count } more
qt-unknown-program = another program
system-says = System error: { $reason }.

kind-text = text
kind-image = image
kind-array = array
kind-bytes = bytes
kind-nothing = nothing
kind-block = block
kind-semaphore = semaphore
kind-empty = empty
kind-damaged = damaged

bytes-few =
    { $count ->
        [one] 1 byte
       *[other] { $count } bytes
    }
age-now = now
age-seconds = { $count } s
age-minutes = { $count } min
age-hours = { $count } h
age-days = { $count } d
age-just-now = just now
age-old = { $age } old
age-ago = { $age } ago
lapse-milliseconds = { $number } ms
lapse-seconds = { $number } s


## The key field

key-label = Key
key-placeholder = a name of your choice
form-automatic = Automatic
form-raw = C string (raw)
form-not-here = Only Qt keys, such as qt:MySharedMemory, have a choice of forms.


## The help

help-title = Keyboard
chord-down = Down
chord-up = Up
shortcut-look-closer = Zoom in on a picture
shortcut-step-back = Zoom out of a picture
shortcut-fit = Fit a picture to the window
shortcut-as-it-is = Show a picture at actual size
shortcut-key = Go to the key
shortcut-form = Go to the next form of a Qt key
shortcut-next-field = Go to the next field
shortcut-field-before = Go to the previous field
shortcut-help = Open or close this help
shortcut-quit = Close the window


## The content

pane-empty-text = An empty text
pane-empty-text-body = The text in { $key } has no characters.
pane-nothing = Enter a text first
pane-nothing-body = { $key } is empty: it was cleared, or nothing has been loaded yet.
pane-cut =
    The first { $part } of { $whole } are shown. To save all of it, run
    viewer-app show --key { $key } --output FILE
pane-block = a block of bytes under its lock
pane-head = the first { $count } bytes
pane-half-written = its last writer crashed while writing: some bytes may be old
fact-form = { $kind } as { $form }
fact-sequence = sequence { $number }
fact-persistent = stays until removed
group-not-member = The segment "{ $key }" cannot be given to the group { $group }: you are not a member of it. Choose one of your own groups (the command id lists them), or have yourself added to it and log in again.
shared-group = the group { $group } may read it (mode { $mode })
shared-group-write = the group { $group } may read and change it (mode { $mode })
shared-others = other users may read it (mode { $mode })
shared-others-write = other users may read and change it (mode { $mode })
loaded-by-here = loaded by this window (pid { $pid })
loaded-by = loaded by { $program } (pid { $pid })
loaded-by-left = loaded by { $program } (pid { $pid }), which has left
loaded-by-elsewhere = loaded by { $program } on { $host }, { $ago }
loaded-by-stale = { $loaded }, stale
loaded-by-unknown = loaded by a program that has left (pid { $pid })
also-attached = also attached: { $names }
figures = { $shown } shown, { $skipped } skipped, { $latency } ms


## Dropped files

dropped-more =
    { $count ->
        [one] { $name } and one more
       *[other] { $name } and { $count } more
    }


## Settings

settings-unreadable = The saved settings of this window cannot be read, so it starts with the defaults.
settings-unreadable-remedy = { $path }: { $problem }. Fix the file or ignore it; it will be renamed to { $name } when settings are next saved.
settings-not-a-file = it is not a regular file
settings-too-long = it is too long
settings-version = its version is { $found }, and this program supports version { $known }
settings-size = its window size is out of range
settings-none = This window cannot save its settings.
settings-no-home = Neither XDG_CONFIG_HOME nor HOME is an absolute path.
settings-foreign = { $folder } belongs to another user (id { $owner }).
settings-home-remedy = Set HOME to a folder of your own, for example with sudo -H.
settings-unwritable = The settings of this window cannot be saved.
settings-unwritable-remedy = { $path }: { $reason }. Check that you may write there, and that there is free space.


## Errors of both windows

clipboard-closed = Could not connect to the desktop's clipboard. Try again.
clipboard-damaged = The copied content is damaged, or too large for the clipboard. Use a file instead.
clipboard-system = The desktop's clipboard did not answer ({ $reason }). Try again, or use a file instead.
snapshot-no-thread = Could not start a thread to watch { $key } ({ $reason }). Close some programs, then try again.
snapshot-not-utf8 = The text in { $key } is not valid UTF-8: the program that loaded it is faulty. Load it again, or load it as a file.
snapshot-damaged-picture = The picture in { $key } is damaged: { $reason }. Load it again.
pixels-do-not-fit = a picture of { $width } × { $height } pixels with { $stride } bytes a row does not fit its { $bytes } bytes
worker-no-thread = Could not start a thread ({ $reason }). Close some programs, then try again.
worker-died = The operation failed because of a bug in this program. Try again.


## SharedMemoryLoad

welcome = Load a text or an image: it stays in shared memory until this window closes.
attached = attached
attached-elsewhere = attached elsewhere
not-attached = not attached
load = Load
load-image = Load Image From File...
path-placeholder = or its path, then Enter
in-memory-now = In shared memory now
stream = Stream...
stream-stop = Stop
clear = Clear
release = Release
nothing-there = Nothing is there yet
nothing-there-body = Load a text or an image, drop a file here, or paste with Ctrl+V: it is read back, and shown here.
cannot-be-read = It cannot be read
form-next = The next content of { $key } will be written as { $form }.
form-next-fitting = The next content of { $key } will be written in the form that fits it.
key-left = The content of { $key } stays in shared memory for now.
key-left-remedy = To release it, press Release or load something under another key.
path-missing = The path field is empty.
path-missing-remedy = Enter the path of an image, then press Enter.
loading = Loading { $file } into { $key } …
loading-read = { $percent } % read
loading-decoding = all read, decoding
cancelling = Cancelling …
loaded = Loaded { $kind }, { $size }, into { $key } (sequence { $sequence }).
loaded-for-qt = Loaded { $kind }, { $size }, into { $key } as { $form }.
loaded-replaces = This replaces what { $program } (pid { $pid }) had loaded into { $key }.
loaded-replaces-qt = This replaces what stood in { $key }, which { $program } (pid { $pid }) uses.
cleared = Cleared { $key }: its content can no longer be read. This window stays attached.
clear-nothing = There is nothing to clear.
clear-failed = Could not clear the content.
released-gone = Released { $key }: what was loaded is gone.
released-stays = Released { $key }: it stays, because others are attached to it or it is persistent.
release-nothing = There is nothing to release.
lost = The content of { $key } can no longer be found: its file was removed, moved away or replaced by another program.
lost-remedy = Load it again. If logging out removes it, set { $setting } in { $file }.
load-again = Load again
load-again-nothing = There is nothing to load again.
loaded-shared = { $key } existed before, and { $readers }. To keep the content private, remove { $key } first or choose another key.
replaced = { $program } (pid { $pid }) has replaced what this window had loaded into { $key }.
replaced-by-unknown = Another program (pid { $pid }) has replaced what this window had loaded into { $key }.
drop-outcome = Drop it to load it into { $key }.
drop-without-key = Cannot load it: choose another key first.
only-the-first =
    { $count ->
        [2] Only the first of the two files was loaded: one fits at a time.
       *[other] Only the first of the { $count } files was loaded: one fits at a time.
    }
paste-nothing = There is nothing to paste.
paste-nothing-remedy = Copy a text, a picture or a file first, then press Ctrl+V here.
paste-failed = Could not paste.

watchers-unknown = Viewers cannot be shown here.
watchers-one = Watched by { $name } · { $progress }
watchers-none-shown = Watched by { $count } · nothing shown yet
watchers-all = Watched by { $count } · all show sequence { $sequence }
watchers-some =
    { $there ->
        [one] Watched by { $count } · 1 shows sequence { $sequence }
       *[other] Watched by { $count } · { $there } show sequence { $sequence }
    }
watchers-hide = Hide
watchers-show = Show each
watcher-shown-nothing = nothing shown yet
watcher-shown = sequence { $sequence } after { $lapse }

file-dialog-image = Select an image file
file-dialog-gif = Select an animated GIF
file-dialog-folder = Select a folder of pictures
file-dialog-images = Images
file-dialog-all = All files
file-dialog-open = A file dialog is already open.
file-dialog-open-remedy = If you do not see it, type the path in the field beside the button, or press the button again.
file-dialog-cancelled = No file was chosen.
file-dialog-not-shown = The file dialog could not be opened.
file-dialog-not-shown-remedy = Type the path in the field beside the button. To get a dialog, install xdg-desktop-portal-gtk or zenity.
file-dialog-died = The file dialog closed unexpectedly.
file-dialog-died-remedy = Type the path in the field beside the button, or try again.

text-title = Text to load
text-key = It goes into shared memory under the key { $key }.
text-placeholder = Write or paste any text, in any script.
text-missing = Enter a text first
text-hint = Ctrl+Enter for OK, Esc to cancel
text-ok = OK

stream-title = Stream
stream-body = A test pattern, an animated GIF or the pictures of a folder go into shared memory under the key { $key }, one frame after the other, until Stop.
stream-pattern = Test Pattern
stream-gif = Animated GIF...
stream-folder = Folder...
stream-path-placeholder = or the path of a GIF or a folder, then Enter
stream-path-missing = Type or paste the path of a GIF or a folder, then press Enter.
stream-each = Each picture of a folder stands
stream-seconds = seconds
stream-seconds-wrong = 0.02 to 3600 seconds
stream-hint = Esc to close
streaming = Streaming …
streaming-figures = Streaming · { $report }
streaming-report = { $frames } frames · { $rate } fps
streaming-name = Streaming { $name }.
streaming-into = Streaming { $name } into { $key }.
streaming-pattern = the test pattern
streaming-left-out = Frames are being skipped; the last frame stays.
streaming-not-pictures =
    { $count ->
        [one] 1 file that is not a picture is skipped.
       *[other] { $count } files that are not pictures are skipped.
    }
streaming-damaged =
    { $count ->
        [one] The file is damaged: only its first frame is shown.
       *[other] The file is damaged: only its first { $count } frames are shown.
    }
streamed =
    { $count ->
        [one] Streamed { $frames } frame ({ $bytes }) into { $key }.
       *[other] Streamed { $frames } frames ({ $bytes }) into { $key }.
    }
streamed-in-time = Streamed { $frames } frames ({ $bytes }) into { $key } in { $seconds } s, { $rate } a second.
streamed-left-out = { $frames } more were skipped.
streamed-remedy = The last frame stays until you press Release.
streamed-nothing = The stream was stopped before its first frame.

shortcut-load-text = Enter a text to load
shortcut-accept-text = Load the entered text
shortcut-load-image = Load an image from a file
shortcut-load-again = Load lost content again
shortcut-paste = Paste a text, picture or file
shortcut-stream = Start or stop streaming
shortcut-path = Go to the image path
shortcut-clear = Clear the content
shortcut-release = Release the content
shortcut-cancel = Close or cancel

load-no-segment = Unable to create shared memory segment.
load-not-published = Unable to load into the shared memory segment.
load-no-pixels = The clipboard does not hold a picture.
load-no-pixels-remedy = Copy it again, or save it to a file and load the file.
load-cancelled = Cancelled: { $name } was not loaded.
load-cancelled-remedy = The previous content stays.
load-unreadable = { $name } cannot be read.
file-not-found = The file does not exist: check the path.
file-is-folder = It is a folder: choose a file in it.
file-not-permitted = Permission denied: check the owner and mode of the file.
file-is-device = It is a device or a pipe: name a file instead.

picture-unreadable = The file { $path } cannot be read.
picture-is-none = Selected file is not an image, please select another.
picture-too-large = The image is too large.
picture-is-folder = { $path } is a folder.
picture-is-no-file = { $path } is not a regular file.
picture-reason = { $path }: { $reason }.
picture-claims = { $path } claims { $width } × { $height } pixels.
picture-claims-more = { $path } claims more memory than its decoder may use.
picture-side = The limit is { $side } pixels a side: scale it down first.
picture-takes = Loading it would take { $needed } MiB of memory at its peak, and the limit is { $limit }.
picture-takes-more = Loading it would take more memory than the limit, which is { $limit }.
picture-limit-remedy = Raise the limit on the command line, as in loader-app image --limit { $limit }, or scale it down first.
flaw-cut = it is truncated
flaw-format = its format is unknown
flaw-rare = this variant of its format is not supported: save it as PNG first
flaw-decoder = its decoder failed
flaw-frames = it has no frames
flaw-other = { $reason }

frames-stopped = The stream was stopped.
frames-stopped-remedy = Start it again to continue.
frames-size = This frame size is not supported.
frames-size-remedy = Choose another: { $reason }.
frames-size-bytes = a frame of { $width } × { $height } pixels takes { $needed } MiB, and the limit is { $limit }; --limit { $enough } raises it
frames-input = The video cannot be read.
frames-cut-off = The video ended in the middle of a frame: { $missing } of its { $whole } bytes are missing.
frames-cut-off-remedy = If the video is complete, --size or --format differs from its writer's: use the same on both sides.
frames-folder = The folder { $path } cannot be read.
frames-folder-not-found = The folder does not exist: check the path.
frames-folder-not-permitted = Permission denied: check the owner and mode of the folder.
frames-no-pictures = There are no pictures in the folder { $path }.
frames-no-pictures-remedy =
    { $count ->
        [0] It has no files: choose another folder.
        [one] Its only file is not a picture: choose another folder.
       *[other] None of its { $files } files is a picture: choose another folder.
    }
frames-not-a-gif = Selected file is not an animated GIF.
frames-not-a-gif-remedy = { $path } is another kind of file. Load a still picture with "Load Image From File...".


## ShowSharedMem

ready = Ready.
show = Show from shared memory
live = Live
copy = Copy
save-as = Save as...
segments = Segments
history = History
shown = Shown
segments-title = Segments on this computer
history-title = Shown before
history-clear = Clear history
nothing-shown = Nothing shown yet
nothing-shown-body = Load a text or a picture in SharedMemoryLoad, then press the button above to see it here.
reading = Reading { $key } …
key-unusable = This key cannot be used.
showing-text = Showing the text from { $key }, { $bytes }.
showing-image = Showing the picture from { $key }, { $bytes }.
showing-bytes = Showing the bytes from { $key }, { $bytes }.
showing-nothing = There is nothing in { $key } to show.
show-not-found = Unable to attach to shared memory segment. Load an image first.
show-not-found-title = Enter a text first
show-not-found-body = There is nothing in { $key } yet. Start SharedMemoryLoad with the same key, press Load, enter a text, and show it here.
show-not-attached = Unable to attach to shared memory segment.
show-impossible = This content cannot be shown.
show-no-worker = The window could not read the segment.
appeared = { $key } has content now. Press Show from shared memory.
drop-refused = Files are loaded by the other window, SharedMemoryLoad.
drop-refused-status = Files are loaded by SharedMemoryLoad, not by this window.
drop-refused-remedy = Drop it there, or run: loader-app { $command } --key { $key } { $path }
copied = Copied: paste it anywhere while this window is open.
copied-part = Copied { $part }.
copied-part-remedy = The content in shared memory has changed since: show it again to copy all of it.
copy-failed = Could not copy.
nothing-to-save = There is nothing here to copy or to save.
nothing-to-save-remedy = Press Show from shared memory first.
saved = Saved as { $path }.

live-qt = Qt programs do not notify of changes, so the key is polled at most five times a second.
live-on = Live: what is loaded into { $key } appears here by itself.
live-off = Live is off: what is shown stays. Press Show from shared memory to read again.
live-left = The loader has left; this is the last copy.
live-waiting = Waiting for something in { $key }.
live-waiting-title = Nothing there yet
live-waiting-body = What is loaded into { $key } appears here by itself: a text or a picture from SharedMemoryLoad, or the frames of any program.

presence-enter = Enter follows
presence-left = loader has left
presence-waiting = waiting
presence-gone = nothing there
presence-barred = not readable
presence-following = following
presence-polling = polling
presence-block = block, { $bytes }
presence-semaphore = semaphore, { $available } available
presence-qt = Qt, { $bytes }
presence-new = { $kind }, { $bytes }
presence-shown = up to date
presence-newer = newer content

shown-before = Shown { $ago }; this is not the current content.
shown-before-live = Live is off: turn it on to see the current content.
shown-before-remedy = Press Show from shared memory to see the current content.
shown-before-title = From the history, { $ago }
history-empty = Nothing was shown yet
history-empty-body = What this window shows is listed here. It is kept in memory alone, and only until the window closes.
history-note = Kept in this window's memory only, even what a loader has cleared since.
history-picture = A picture of { $width } × { $height }
history-block = A block of bytes
history-blanks = A blank text
history-cleared = History cleared.
history-cleared-remedy = The shown content stays until you show something else.

filter-placeholder = Filter by key, kind or loader
segments-unlisted = The segments cannot be listed
segments-none = There are no segments
segments-none-body = Load something in SharedMemoryLoad: it appears here by itself.
segments-filtered = No segment matches
segments-filtered-body = Shorten the filter above to see more segments.
segment-unattached = none attached
segment-attached = { $count } attached
segment-unseen = no user seen
segment-left = its loader has left
segment-watching = { $count } watching
segment-units = { $available } available, { $held } held
segment-persistent = stays
segment-left-alone = ignored: { $reason }
segments-left-alone = { $count } names are not segments
segments-left-alone-body = They are ignored. The filter finds each of them; viewer-app list --all lists all.
segment-unknown-program = another program
remove = Remove
remove-force = Remove by force
remove-keep = Keep
remove-question = Remove { $key }?
remove-question-body = Its content will be lost.
remove-in-use = { $key } is in use by { $by }.
remove-in-use-body = Programs that use it keep it; others no longer find it.
removing = Removing { $key } …
remove-failed = Could not remove { $key }.
removed = Removed { $key }.

save-dialog = Save as
save-text = Save the text as
save-text-hint = It is written byte for byte, as UTF-8.
save-picture = Save the picture as
save-picture-hint = The ending chooses the format: png, jpg, bmp, gif, webp, ppm or qoi.
save-bytes = Save the bytes as
save-bytes-hint = They are written as they are.
save-placeholder = a path
save-browse = Browse...
save-hint = Enter to save, Esc to cancel
save = Save
save-replace = Replace
save-part = Save part
saving = Saving …
save-taken = { $path } already exists. Replace it?
save-only-part = The content of { $key } has changed, and only { $part } is left here. Save that?
save-no-path = The path field is empty. Enter a path, such as ~/copy.txt.
save-not-shown = The file dialog could not be opened. Enter the path here.
save-died = The file dialog closed unexpectedly. Enter the path here.
part-first = the first { $part } of { $whole }
part-smaller = a copy of { $width } × { $height } pixels instead of { $whole_width } × { $whole_height }

export-only-file = The clipboard takes texts and pictures only. To save bytes, press Save as...
export-nothing = There is nothing here yet. Show something first.
export-no-ending = The file name has no extension, which selects the format. Use { $endings }.
export-ending = A picture cannot be written as "{ $ending }". Use { $endings }.
export-endings = png, jpg, bmp, gif, webp, ppm or qoi
export-damaged = The picture is damaged: { $reason }. Load it again.
export-too-large = Writing { $width } × { $height } pixels in this format takes { $needed } MiB of memory, and the limit is { $limit }.
export-limit-remedy = Raise it on the command line, as in viewer-app show --output FILE --limit { $limit }, or choose bmp, ppm or jpg, which take less.
export-format = This format cannot hold the picture: { $reason }. Use another format: png holds any picture.
output-failed = Could not write to { $place }: { $reason }.
output-not-found = Create the folder first, or choose another one.
output-not-permitted = Choose a folder where you may write: a new file replaces the old one.
output-no-space = Free some space there, or choose another place.
output-is-folder = Choose a file in it.
output-taken = Choose another name, or replace it.
output-too-large = Allow larger files with ulimit -f unlimited.
output-other = Choose another place.
output-link = it is a symbolic link that is not yours
output-link-remedy = Choose the file that it points to, or another one.
output-no-reader = it is a pipe without a reader
output-no-reader-remedy = Start its reader first.
output-foreign = it is a pipe or device of another user
output-terminal = it is a terminal, which interprets control characters
output-not-a-file = it is neither a file nor a pipe
output-not-a-file-remedy = Choose a file of your own.

shortcut-show = Show what is in shared memory
shortcut-live = Turn Live on or off
shortcut-copy = Copy the content
shortcut-save = Save the content
shortcut-segments = Open or close the list of segments
shortcut-history = Open or close the history
shortcut-close = Close what is open
shortcut-list-down = Move down the list of segments
shortcut-list-up = Move up the list of segments


## Errors (src/explain.rs)

error-orphaned = The segment "{ $key }" was removed, moved away or replaced by another program: open it again.
error-read-size = The sample of the segment "{ $key }" has { $bytes } bytes, and the value that was asked for has { $wanted }: use programs that agree on it.
error-no-memory = There is not enough memory to copy the { $bytes } bytes in the segment "{ $key }": end other programs, or raise the limit (ulimit -v).
error-file-size-limit = The file size limit of this process (ulimit -f) does not allow it to write the segment "{ $key }": raise it (ulimit -f unlimited). A segment's file is long, but takes no more memory than its content.
error-forked = This handle of the segment "{ $key }" belongs to the parent process: open one of your own after fork.
error-busy = { $holder } holds the lock under which the segment "{ $key }" is created, attached to and removed: try again, or end that program (it may be stopped). Share the segment with no other users (mode 600) if it only reads.
error-holder-process = { $program } (pid { $pid }, user { $user })
error-holder-other-user = A process of another user
error-holder-unknown = Another program
error-other-user = The segment "{ $key }" belongs to user { $owner }, the only user who can create, change and remove it, and take the lock of a block; others only read samples, root too. Do it as that user.

error-key-empty = The key is empty: give the segment a name, such as MySharedMemory.
error-key-too-long = The key is { $bytes } bytes long, and the limit is { $most }: choose a shorter one.
error-key-slash = The key has a "/" at byte { $at }: a key is a name, not a path.
error-key-character = The key has the control or invisible character { $code } at byte { $at }: remove it. If another program has created a file of that name, viewer-app list shows how to remove it.
error-key-scheme = The key begins with "{ $scheme }:", which is reserved for other kinds of segment: leave the prefix out.

error-attach-not-found = There is nothing in shared memory under the key "{ $key }": load something first, or check the key.
error-attach-exists = There is a segment under the key "{ $key }" already: attach to it, remove it, or choose another key.
error-attach-foreign = The key "{ $key }" is taken by something else: { $reason }. Choose another key, or have its owner remove it.
error-attach-version = The segment "{ $key }" has layout version { $found }, which this program does not know: use programs of one release.
error-attach-kind = The segment "{ $key }" is of another kind (samples, blocks and semaphores are not interchangeable): choose another key.
error-attach-permission = Access to the segment "{ $key }" is denied: check its owner and mode, and those of the directory.
error-attach-no-space = There is not enough shared memory for the segment "{ $key }": remove unneeded segments, or enlarge the file system (containers have 64 MB by default; with Docker, use --shm-size).
error-attach-slots-blocked = { $holder } keeps the free slots of the segment "{ $key }" locked, though it may only read it: end that program, or share the segment with no other users (mode 600).
error-attach-slots = All { $slots } slots of the segment "{ $key }" are in use: end a program that is attached to it.
error-attach-timeout = Nothing appeared in shared memory under the key "{ $key }" in time.
error-attach-size = A block of { $size } bytes cannot be created under the key "{ $key }": the size must be 1 byte to 64 GiB.
error-attach-units = A semaphore of { $units } units cannot be created under the key "{ $key }": the limit is 32,767.
error-attach-io = The segment "{ $key }" is not accessible: { $reason }.

error-publish-no-space = There is not enough shared memory for { $bytes } bytes in the segment "{ $key }"; the previous content stays. Remove unneeded segments, or enlarge the file system (containers have 64 MB by default; with Docker, use --shm-size).
error-publish-too-large = { $bytes } bytes are too many for one sample of the segment "{ $key }": the limit is 64 GiB.
error-publish-metadata = The content for the segment "{ $key }" is invalid: { $reason }.
error-publish-regions-read = All regions of the segment "{ $key }" are in use by its readers: end some of them.
error-publish-regions = { $holder } and possibly others hold all regions of the segment "{ $key }" for reading: end that program, or share the segment with no other users (mode 600).
error-publish-damaged = Another program has damaged the segment "{ $key }": { $reason }. Clear it, or remove it and load again.
error-publish-busy = Another program is publishing into the segment "{ $key }" and has not finished: try again, or end that program (it may be stopped).
error-publish-io = Publishing into the segment "{ $key }" failed: { $reason }.

error-read-invalid = The content of the segment "{ $key }" is damaged or was written by another program: { $reason }. Load it again.
error-read-truncated = The segment "{ $key }" was cut short by another program: remove it and load it again.
error-read-busy = Another program keeps the latest sample of the segment "{ $key }" from being read: try again, or end that program.
error-read-io = Reading the segment "{ $key }" failed: { $reason }.

error-lock-holder = The lock of the segment "{ $key }" is held by { $holder }: wait for it, or end it.
error-lock-unknown = The lock of the segment "{ $key }" is held by another program: wait for it, or end it.
error-lock-would-block = The lock of the segment "{ $key }" is held at the moment: try again, or wait for it.
error-lock-deadlock = This thread already holds the lock of the segment "{ $key }": drop the first guard before locking again.
error-lock-not-held = This thread does not hold the lock of the segment "{ $key }" through this handle, or holds it by a guard: lock it first, or drop the guard.

error-qt-key-empty = The Qt key is empty: write the Qt program's key after the colon, as in qt:MySharedMemory.
error-qt-key-too-long = The Qt key is { $bytes } bytes long, which is too long for a file name: choose a shorter one.
error-qt-key-slash = The Qt key has a "/" at byte { $at }: a POSIX name has one at its beginning and no other.
error-qt-key-character = The Qt key has the control character { $code } at byte { $at }: remove it.
error-qt-key-relative = "{ $path }" is not an absolute path: write systemv: followed by the absolute path of the key file, as QSharedMemory::nativeKey returns it.
error-qt-key-taken = "{ $name }" is the name of a file of shm-core or of a semaphore, and of no Qt program's segment: choose another name, or leave out posix: for a segment of shm-core.
error-qt-key-reserved = The Qt key has a "?" or "#" that means nothing: write %3F or %23 for the character.
error-qt-key-not-utf8 = The "%" sequences of the Qt key are not UTF-8: write %25 for the character %.
error-qt-key-scheme = This is not a Qt key: Qt keys begin with qt:, qt-posix:, systemv: or posix:.

error-qt-not-found = There is nothing in shared memory under the Qt key "{ $key }": load something first, or check the key.
error-qt-exists = There is a Qt segment under the key "{ $key }" already, in use by { $by }: attach to it, end what uses it, or choose another key.
error-qt-exists-idle = There is a Qt segment under the key "{ $key }" already, and no program is seen to use it: attach to it, or remove it (Qt never removes segments of this kind).
error-qt-in-use = The Qt segment "{ $key }" is in use by { $by }: end that first, or use force.
error-qt-size = A Qt segment of { $size } bytes cannot be created under the key "{ $key }": the size must be 1 byte to the limit of the system (ipcs -l).
error-qt-resources = There is not enough shared memory for the Qt segment "{ $key }" ({ $reason }): remove unneeded segments (viewer-app list, ipcs), or raise the limit (ipcs -l shows it; containers have 64 MB of /dev/shm by default).
error-qt-other-user = The Qt key "{ $key }" is taken by the user with the id { $owner } ({ $path }): have that user remove it, choose another key, or set TMPDIR to a folder of your own for both programs.
error-qt-foreign = The Qt key "{ $key }" is taken by something else: { $path } is not what Qt makes. Choose another key, or have its owner remove it.
error-qt-folder = In the folder { $path } another user could replace the key file of "{ $key }": set TMPDIR to a folder of your own, or to /tmp, for both programs.
error-qt-not-shared = User { $owner } does not let others read the Qt segment "{ $key }" ({ $reason }): Qt programs never do. Read it as that user, or as root.
error-qt-read-only = The Qt segment "{ $key }" of user { $owner } can only be read: what belongs to another user is not written, locked or removed. Do that as that user.
error-qt-changed = The Qt segment "{ $key }" of user { $owner } changed while it was read, because the lock of another user's segment is not taken: read it again.
error-qt-permission = Access to the Qt segment "{ $key }" is denied ({ $reason }): another user has a segment with its number (ipcs -m shows the owner). Have that user remove it, or set TMPDIR to a folder of your own for both programs.
error-qt-io = The Qt segment "{ $key }" is not accessible: { $reason }.
error-qt-lock-holder = The Qt lock of "{ $key }" is held by { $holder }: wait for it, or end it.
error-qt-lock-killed = The Qt lock of "{ $key }" is held, and no program is seen that has it open: its holder was probably killed, and a lock of this kind then stays held forever. Remove it with force (viewer-app remove --force).
error-qt-lock-users = The Qt lock of "{ $key }" is held; { $by } has it open. Wait for it, or end it. (A lock of this kind stays held forever when its holder is killed: then end all of these programs and remove it with force.)
error-qt-lock-lost = A Qt program has reset the lock of "{ $key }" while it was held here (each create() does that): what was read or written may be mixed with that of others. Do it again.
error-qt-no-folder = The folder for the key file of "{ $key }" does not exist ({ $reason }): set TMPDIR to an existing folder, for both programs.
error-qt-lock-io = The Qt lock of "{ $key }" is not accessible: { $reason }. Choose another key, or have its owner remove it.
error-qt-stream = The content of the Qt segment "{ $key }" cannot be read: { $reason }
error-qt-not-this = The content is not a { $form }: { $reason }. Choose another form (--as, or beside the key), or choose none to detect it.
error-qt-unfit = The content cannot be written as { $form }: { $reason }. Choose another form (--as, or beside the key).
error-qt-too-long = { $bytes } bytes are too many: the limit of a Qt stream is 4 GiB.
error-qt-limit = Reading it takes { $bytes } bytes of memory, and the limit is { $limit }: load something smaller.
error-qt-unwritten = Its length field says { $bytes } bytes, but only { $present } were ever written: load it again.
error-qt-no-memory = There is not enough memory for a copy of { $bytes } bytes: end other programs, or raise the limit (ulimit -v).
error-qt-cut = The segment was cut short by another program while it was read: load it again.
error-qt-stream-io = The segment cannot be read or written: { $reason }.
error-qt-too-small = The Qt segment "{ $key }" has { $size } bytes, and { $needed } are needed; it cannot be replaced while it is in use by { $by }: end that first, load something shorter, or choose another key.
error-qt-write = The Qt segment "{ $key }" could not be written: { $reason }.

error-remove-not-found = There is nothing in shared memory under the key "{ $key }": check the key.
error-remove-in-use = The segment "{ $key }" is in use by { $by }: end them first, or use force.
error-remove-foreign = The key "{ $key }" is not a segment, so it is not removed: { $reason }. Choose another key, or have its owner remove it.
error-remove-permission = Removing the segment "{ $key }" is not permitted: ask its owner to remove it.
error-remove-io = The segment "{ $key }" was not removed: { $reason }.

error-no-directory = The directory { $path } does not exist: create it, or set SHM_CORE_DIR to another.
error-file-system = The directory { $path } is on a file system ({ $kind }) that cannot hold segments: set SHM_CORE_DIR to a directory on a tmpfs, or leave it out for /dev/shm.
error-presence-no-directory = Viewers cannot be shown; all other functions work. There is no directory for a socket ({ $reason }): set XDG_RUNTIME_DIR to a directory of your own (mode 700).
error-presence-io = Viewers cannot be shown; all other functions work. System error: { $reason }.
error-polling = The system cannot watch the directory of segments ({ $reason }), so it is polled several times a second: end programs that watch files, or raise fs.inotify.max_user_instances and max_user_watches.
error-list-directory = The directory { $path } is not readable ({ $reason }): check that it exists, or set SHM_CORE_DIR to another.

reason-at = { $path }: { $reason }
reason-name-not-utf8 = its name is not UTF-8, so it is no key
reason-magic = it does not begin with the magic number of a segment
reason-slots = it claims to have { $count } slots
reason-kind = it is of an unknown kind ({ $kind })
reason-block = it claims a block of { $bytes } bytes
reason-ring = it claims a ring of { $bytes } bytes
reason-cut = it is cut short: { $bytes } bytes of { $whole }
reason-memory = it claims { $bytes } bytes, and has memory for { $memory }
reason-short = it is too short to be a segment
reason-owner = it belongs to user { $found }, not to user { $expected }
reason-directory = it is a directory of user { $owner }, not a regular file
reason-link = it is a symbolic link of user { $owner }, not a regular file
reason-pipe = it is a named pipe of user { $owner }, not a regular file
reason-socket = it is a socket of user { $owner }, not a regular file
reason-device = it is a device of user { $owner }, not a regular file
reason-unsafe-owner = { $path } belongs to user { $owner }
reason-unsafe-mode = { $path } is open to others (mode { $mode })
reason-positions = the positions of its records contradict each other
reason-record = a record has an impossible header
reason-sequence = a record goes back to sequence { $sequence }
reason-region = it names region { $region }, which does not exist
reason-no-memory = it claims { $bytes } bytes, and has no memory for as many
reason-payload = it claims a payload of { $bytes } bytes
reason-metadata = its metadata is too long for a ring of this length
reason-behind-metadata = there are bytes after the metadata
reason-metadata-cut = the metadata ends too early
reason-metadata-utf8 = a name in the metadata is not UTF-8
reason-metadata-twice = the metadata has a duplicate entry
reason-sides = an image of { $width } × { $height } pixels is out of bounds (1 to { $most } a side)
reason-file-name = file name
reason-media-type = media type
reason-user-data = user data
reason-host-name = host name
reason-program-name = program name
reason-name = its { $what } is { $bytes } bytes long, and the limit is { $most }
reason-stride = rows of { $row } bytes do not fit a stride of { $stride }
reason-pixels = the image needs { $needed } bytes of pixels, and there are { $found }
reason-dimensions = an array of { $count } dimensions is out of bounds (1 to { $most })
reason-array = the array needs { $needed } bytes, and there are { $found }
reason-array-too-large = the array needs more bytes than can be addressed
reason-utf8 = the text is not UTF-8 at byte { $at }
reason-qt-few-bytes = there are only { $bytes } bytes
reason-qt-length = its length field says { $bytes } bytes, and there are { $room }
reason-qt-odd = { $bytes } bytes are not a whole number of UTF-16 units
reason-qt-mark = it begins with { $found } instead of the 1 that marks a picture
reason-qt-png = the PNG file: { $reason }
reason-qt-no-nul = it does not end with a NUL
reason-qt-not-utf8 = it is not UTF-8 text
reason-qt-is-picture = a picture is streamed as qimage
reason-qt-no-picture = it is not a picture
reason-qt-nul = it has a NUL, where a C string ends
reason-qt-sides = its width and height do not fit its bytes
reason-qt-rows = its rows are longer than declared
reason-qt-no-png = it cannot be encoded as PNG
