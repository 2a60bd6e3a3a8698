# What the windows say in English.
#
# One entry an id; every id stands in each language. The commands speak these words too, because
# nobody chooses a language for them.


## Everywhere

close = Close
cancel = Cancel
between-sentences = {" "}
between-names = {", "}
peer = { $program } (pid { $pid })
peer-reading = { $program } (pid { $pid }, reading)
peer-and-more = { $name } and { $count } more
qt-somebody = another program
system-says = The system says: { $reason }.

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
form-not-here = Only under a Qt key, such as qt:MySharedMemory, is there a form to choose.


## The help

help-title = Keyboard
chord-down = Down
chord-up = Up
shortcut-look-closer = Look closer at a picture
shortcut-step-back = Step back from a picture
shortcut-fit = Fit a picture into the window
shortcut-as-it-is = Show a picture pixel by pixel
shortcut-key = Go to the key
shortcut-form = Go to the next form of a Qt key
shortcut-next-field = Go to the next field
shortcut-field-before = Go back to the field before
shortcut-help = Open or close this help
shortcut-quit = Close the window


## The content

pane-empty-text = An empty text
pane-empty-text-body = The text in { $key } has no characters.
pane-nothing = Enter a text first
pane-nothing-body = Nothing is in { $key } now: it was cleared, or nothing was loaded yet.
pane-cut =
    Shown are the first { $part } of { $whole }. All of it goes to a file with
    viewer-app show --key { $key } --output FILE
pane-block = a block of bytes under its lock
pane-head = the first { $count } bytes
pane-half-written = its last writer died while writing: some bytes may be old
fact-form = { $kind } as { $form }
fact-sequence = sequence { $number }
fact-persistent = stays until removed
group-not-member = The segment "{ $key }" cannot be given to the group { $group }, of which you are no member: choose a group of yours, as the command id tells them, or have yourself added to it and log in again.
shared-group = the group { $group } may read it (mode { $mode })
shared-group-write = the group { $group } may read and change it (mode { $mode })
shared-everybody = other users may read it (mode { $mode })
shared-everybody-write = other users may read and change it (mode { $mode })
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


## What is remembered

settings-unreadable = What this window had remembered cannot be read, so it begins anew.
settings-unreadable-remedy = { $path }: { $problem }. Mend it, or leave it: it is kept as { $name } once there is something new to remember.
settings-not-a-file = it is no file
settings-too-long = it is far too long
settings-version = it is of version { $found }, and this program knows version { $known }
settings-size = no window has such a width and height
settings-none = This window remembers nothing.
settings-no-home = Neither XDG_CONFIG_HOME nor HOME names a folder by its whole path.
settings-foreign = { $folder } belongs to another user, with the id { $owner }.
settings-home-remedy = Set HOME to a folder of your own; sudo -H does so.
settings-unwritable = This window cannot remember its size and its key.
settings-unwritable-remedy = { $path }: { $reason }. See that you may write there, and that there is room.


## What goes wrong in both windows

clipboard-closed = There is no connection to the desktop's clipboard. Try again.
clipboard-damaged = What was copied there is damaged, or too large for the clipboard. Use a file instead.
clipboard-system = The desktop's clipboard did not answer ({ $reason }). Try again, or use a file instead.
snapshot-no-thread = The system gave no thread to watch { $key } ({ $reason }). Close some programs, then try again.
snapshot-not-utf8 = The text in { $key } is not UTF-8, so its loader is faulty. Load it again, or as a file.
snapshot-damaged-picture = The picture in { $key } is damaged: { $reason }. Load it again.
pixels-do-not-fit = a picture of { $width } × { $height } pixels with { $stride } bytes a row does not fit its { $bytes } bytes
worker-no-thread = The system gave no thread to work on ({ $reason }). Close some programs, then try again.
worker-died = The work ended without a result, which is a mistake in this program. Try again.


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
form-next = What is loaded next into { $key } is written as { $form }.
form-next-fitting = What is loaded next into { $key } is written in the form that fits it.
key-left = What is loaded into { $key } stays there for now.
key-left-remedy = It is released when something is loaded under another key, or by Release.
path-missing = There is no path in the field.
path-missing-remedy = Type or paste the path of an image, then press Enter.
loading = Loading { $file } into { $key } …
loading-read = { $percent } % read
loading-decoding = all read, decoding
cancelling = Cancelling …
loaded = Loaded { $kind }, { $size }, into { $key } (sequence { $sequence }).
loaded-for-qt = Loaded { $kind }, { $size }, into { $key } as { $form }.
loaded-replaces = This replaces what { $program } (pid { $pid }) had loaded into { $key }.
loaded-replaces-qt = This replaces what stood in { $key }, which { $program } (pid { $pid }) uses.
cleared = Cleared { $key }: nothing of it is left to read. This window stays attached.
clear-nothing = There is nothing to clear.
clear-failed = It could not be cleared.
released-gone = Released { $key }: what was loaded is gone.
released-stays = Released { $key }: it stays, because others are attached to it or it is persistent.
release-nothing = There is nothing to release.
lost = What was loaded into { $key } can no longer be found: its file was removed, moved away or replaced by another program.
lost-remedy = Load it again. Where logging out removes it, set { $setting } in { $file }.
load-again = Load again
load-again-nothing = Nothing was lost: there is nothing to load again.
loaded-shared = { $key } was there before, and { $readers }. To keep what you load to yourself, remove { $key } first or choose another key.
replaced = { $program } (pid { $pid }) has replaced what this window had loaded into { $key }.
replaced-by-unknown = Another program (pid { $pid }) has replaced what this window had loaded into { $key }.
drop-outcome = Drop it to load it into { $key }.
drop-without-key = It cannot be loaded: choose another key first.
only-the-first =
    { $count ->
        [2] Only the first of the two files was loaded: one fits at a time.
       *[other] Only the first of the { $count } files was loaded: one fits at a time.
    }
paste-nothing = There is nothing to paste.
paste-nothing-remedy = Copy a text, a picture or a file first, then press Ctrl+V here.
paste-failed = It could not be pasted.

watchers-untold = Who watches cannot be told here.
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
file-dialog-open = A file dialog is open already.
file-dialog-open-remedy = If you see none, type the path in the field beside the button, or press it again.
file-dialog-cancelled = No file was chosen.
file-dialog-not-shown = The system showed no file dialog.
file-dialog-not-shown-remedy = Type the path in the field beside the button. Who wants a dialog installs xdg-desktop-portal-gtk or zenity.
file-dialog-died = The system's file dialog ended without an answer.
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
streaming-left-out = Frames are left out, and the last one stays.
streaming-not-pictures =
    { $count ->
        [one] 1 file that is no picture is passed over.
       *[other] { $count } files that are no pictures are passed over.
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
streamed-left-out = { $frames } more were left out.
streamed-remedy = The last frame stays, until Release.
streamed-nothing = The stream was stopped before its first frame.

shortcut-load-text = Write a text to load
shortcut-accept-text = Load the text that is written
shortcut-load-image = Load an image from a file
shortcut-load-again = Load again what was lost
shortcut-paste = Load what was copied: text, picture or file
shortcut-stream = Stream, or stop the stream
shortcut-path = Go to the path of an image
shortcut-clear = Clear what is loaded
shortcut-release = Release what is loaded
shortcut-cancel = Close what is open, or cancel

load-no-segment = Unable to create shared memory segment.
load-not-published = Unable to load into the shared memory segment.
load-no-pixels = What was copied is no picture.
load-no-pixels-remedy = Copy it again, or save it to a file and load that.
load-cancelled = Cancelled: { $name } was not loaded.
load-cancelled-remedy = What was loaded before stays.
load-unreadable = { $name } cannot be read.
file-not-found = There is no such file: check the path.
file-is-folder = It is a folder: choose a file in it.
file-not-permitted = The system does not permit it: check who owns the file and its mode.
file-is-device = It is a device or a pipe: name a file instead.

picture-unreadable = The file { $path } cannot be read.
picture-is-none = Selected file is not an image, please select another.
picture-too-large = The image is too large.
picture-is-folder = { $path } is a folder.
picture-is-no-file = { $path } is no regular file.
picture-reason = { $path }: { $reason }.
picture-claims = { $path } claims { $width } × { $height } pixels.
picture-claims-more = { $path } claims more than its decoder may take.
picture-side = At most { $side } a side can be loaded: scale it down first.
picture-takes = Loading it would take { $needed } MiB of memory at its peak, and the limit is { $limit }.
picture-takes-more = Loading it would take more memory than the limit, which is { $limit }.
picture-limit-remedy = Raise the limit on the command line, as in loader-app image --limit { $limit }, or scale it down first.
flaw-cut = it ends too early
flaw-format = its format is not known
flaw-rare = it is of a rare kind that cannot be read: save it as PNG first
flaw-decoder = its decoder gave up on it
flaw-frames = it has no frames
flaw-other = { $reason }

frames-stopped = The stream was stopped.
frames-stopped-remedy = Start it again when you like.
frames-size = Frames cannot have that size.
frames-size-remedy = Choose another: { $reason }.
frames-size-bytes = one of { $width } × { $height } pixels takes { $needed } MiB, and the limit is { $limit }; --limit { $enough } raises it
frames-input = The video cannot be read.
frames-cut-off = The video ended in the middle of a frame: { $missing } of its { $whole } bytes are missing.
frames-cut-off-remedy = If it came whole, --size or --format is not what its writer has: the bytes of a frame must be the same on both sides.
frames-folder = The folder { $path } cannot be read.
frames-folder-not-found = There is no such folder: check the path.
frames-folder-not-permitted = The system does not permit it: check who owns the folder and its mode.
frames-no-pictures = There is no picture in the folder { $path }.
frames-no-pictures-remedy =
    { $count ->
        [0] It has no files: choose another.
        [one] Its only file is none: choose another.
       *[other] None of its { $files } files is one: choose another.
    }
frames-not-a-gif = Selected file is not an animated GIF.
frames-not-a-gif-remedy = { $path } is something else. A picture that stands still is loaded by "Load Image From File...".


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
show-no-worker = The window could not look.
appeared = There is something in { $key } now. Press Show from shared memory.
drop-refused = Files are loaded by the other window, SharedMemoryLoad.
drop-refused-status = Files are loaded by SharedMemoryLoad, not by this window.
drop-refused-remedy = Drop it there, or run: loader-app { $command } --key { $key } { $path }
copied = Copied: paste it anywhere while this window is open.
copied-part = Copied { $part }.
copied-part-remedy = Something else is in shared memory by now: show it again for the rest.
copy-failed = It could not be copied.
nothing-to-save = There is nothing here to copy or to save.
nothing-to-save-remedy = Press Show from shared memory first.
saved = Saved as { $path }.

live-qt = A Qt program does not tell when it changes that, so it is looked at five times a second at most.
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

shown-before = This was shown { $ago }: it is not what is there now.
shown-before-live = Live is off meanwhile: throw its switch to see again what is there now.
shown-before-remedy = Press Show from shared memory to see what is there now.
shown-before-title = From the history, { $ago }
history-empty = Nothing was shown yet
history-empty-body = What this window shows is listed here. It is kept in memory alone, and only until the window closes.
history-note = Kept in this window's memory only, even what a loader has cleared since.
history-picture = A picture of { $width } × { $height }
history-block = A block of bytes
history-blanks = A text of blanks
history-cleared = The history is cleared.
history-cleared-remedy = What is on view stays until you show something else.

filter-placeholder = Filter by key, kind or loader
segments-unlisted = The segments cannot be listed
segments-none = There is no shared memory now
segments-none-body = Load something in SharedMemoryLoad: it appears here by itself.
segments-filtered = No segment matches
segments-filtered-body = Shorten the filter above to see more of them.
segment-unattached = nobody attached
segment-attached = { $count } attached
segment-unseen = nobody is seen to use it
segment-left = its loader has left
segment-watching = { $count } watching
segment-units = { $available } available, { $held } held
segment-persistent = stays
segment-left-alone = left alone: { $reason }
segments-left-alone = { $count } names are no segments
segments-left-alone-body = Left alone. A filter finds each of them; viewer-app list --all names all.
segment-somebody = somebody
remove = Remove
remove-force = Remove by force
remove-keep = Keep
remove-question = Remove { $key }?
remove-question-body = What is in it is gone for good.
remove-in-use = { $key } is in use by { $by }.
remove-in-use-body = Who has it keeps it; nobody else finds it any more.
removing = Removing { $key } …
remove-failed = { $key } was not removed.
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
save-part = Save the part
saving = Saving …
save-taken = { $path } is there already. Replace it?
save-only-part = Something else is in { $key } by now, and only { $part } is left here. Save that?
save-no-path = There is no path in the field. Write one, such as ~/copy.txt.
save-not-shown = The system showed no file dialog. Write the path here.
save-died = The system's file dialog ended without an answer. Write the path here.
part-first = the first { $part } of { $whole }
part-smaller = a copy of { $width } × { $height } pixels instead of { $whole_width } × { $whole_height }

export-only-file = The clipboard takes texts and pictures. Bytes go to a file: press Save as...
export-nothing = There is nothing here yet. Show something first.
export-no-ending = The name of the file has no ending, which chooses the format. Use { $endings }.
export-ending = A picture cannot be written as "{ $ending }". Use { $endings }.
export-endings = png, jpg, bmp, gif, webp, ppm or qoi
export-damaged = The picture is damaged: { $reason }. Load it again.
export-too-large = To write { $width } × { $height } pixels like this would take { $needed } MiB of memory, and the limit is { $limit }.
export-limit-remedy = Raise it on the command line, as in viewer-app show --output FILE --limit { $limit }, or choose bmp, ppm or jpg, which take less.
export-format = This format cannot hold the picture: { $reason }. Use another one: png holds any.
output-failed = Could not write to { $place }: { $reason }.
output-not-found = Create the folder first, or name another one.
output-not-permitted = Name a folder where you may write: a new file replaces the old one.
output-no-space = Free some space there, or name another place.
output-is-folder = Name a file in it.
output-taken = Name another one, or replace it.
output-too-large = Permit larger files with ulimit -f unlimited.
output-other = Name another place.
output-link = it is a link that is not yours
output-link-remedy = Name the file that it leads to, or another one.
output-no-reader = it is a pipe that no program reads
output-no-reader-remedy = Start its reader first.
output-foreign = it is a pipe or a device of another user
output-terminal = it is a terminal, which obeys what is written to it
output-not-a-file = it is neither a file nor a pipe
output-not-a-file-remedy = Name a file of your own.

shortcut-show = Show what is in shared memory
shortcut-live = Let what is loaded appear by itself, or not
shortcut-copy = Copy what is shown
shortcut-save = Save what is shown
shortcut-segments = Open or close the list of segments
shortcut-history = Open or close the history
shortcut-close = Close what is open
shortcut-list-down = Go down the list of segments
shortcut-list-up = Go up the list of segments


## Errors (src/explain.rs)

error-orphaned = The segment "{ $key }" was removed, moved away or replaced by another program: open it again.
error-read-size = The sample of the segment "{ $key }" has { $bytes } bytes, and the value that was asked for has { $wanted }: use programs that agree on it.
error-no-memory = There is no memory for a copy of the { $bytes } bytes in the segment "{ $key }": end other programs, or raise the limit (ulimit -v).
error-file-size-limit = The file size limit of this process (ulimit -f) does not permit it to write the segment "{ $key }": raise it (ulimit -f unlimited). A segment's file is long, but takes no more memory than its content.
error-forked = This handle of the segment "{ $key }" belongs to the parent process: open one of your own after fork.
error-busy = { $holder } holds the lock under which the segment "{ $key }" is created, attached to and removed: try again, or end that program (it may be stopped). Share the segment with no other users (mode 600) if it only reads.
error-holder-process = { $program } (pid { $pid }, user { $user })
error-holder-other-user = A process of another user
error-holder-unknown = Another program
error-other-user = The segment "{ $key }" belongs to user { $owner }, the only user who can create, change and remove it, and take the lock of a block; others only read samples, root too. Do it as that user.

error-key-empty = The key is empty: give the segment a name, such as MySharedMemory.
error-key-too-long = The key is { $bytes } bytes long, and { $most } are the most: choose a shorter one.
error-key-slash = The key has a "/" at byte { $at }: a key is a name, not a path.
error-key-character = The key has the control or invisible character { $code } at byte { $at }: leave it out. Where another program has made a file of such a name, viewer-app list tells how to remove it.
error-key-scheme = The key begins with "{ $scheme }:", which is reserved for other kinds of segment: leave the prefix out.

error-attach-not-found = There is nothing in shared memory under the key "{ $key }": load something first, or check the key.
error-attach-exists = There is a segment under the key "{ $key }" already: attach to it, remove it, or choose another key.
error-attach-foreign = The key "{ $key }" is taken by something else: { $reason }. Choose another key, or have its owner remove it.
error-attach-version = The segment "{ $key }" has layout version { $found }, which this program does not know: use programs of one release.
error-attach-kind = The segment "{ $key }" is of another kind (it holds samples, a block or a semaphore, and none can stand for another): choose another key.
error-attach-permission = The system does not permit access to the segment "{ $key }": check who owns it and its mode, and the directory's.
error-attach-no-space = There is no room in shared memory for the segment "{ $key }": remove what is not needed, or enlarge the file system (containers give 64 MB unless told otherwise; with Docker, --shm-size).
error-attach-slots-blocked = { $holder } keeps the free places of the segment "{ $key }" locked, though it may only read it: end that program, or share the segment with no other users (mode 600).
error-attach-slots = All { $slots } places of the segment "{ $key }" are taken: end a program that is attached to it.
error-attach-timeout = Nothing appeared in shared memory under the key "{ $key }" in time.
error-attach-size = A block of { $size } bytes cannot be made under the key "{ $key }": the size is 1 byte to 64 GiB.
error-attach-units = A semaphore of { $units } units cannot be made under the key "{ $key }": it counts to 32,767.
error-attach-io = The segment "{ $key }" is not accessible: { $reason }.

error-publish-no-space = There is no room in shared memory for { $bytes } bytes in the segment "{ $key }"; what was loaded before stays. Remove what is not needed, or enlarge the file system (containers give 64 MB unless told otherwise; with Docker, --shm-size).
error-publish-too-large = { $bytes } bytes are too many for one sample of the segment "{ $key }": the most is 64 GiB.
error-publish-metadata = The segment "{ $key }" cannot take what was to be loaded: { $reason }.
error-publish-regions-read = All regions of the segment "{ $key }" are in use by its readers: end some of them.
error-publish-regions = { $holder } and maybe others keep all regions of the segment "{ $key }" for reading: end that program, or share the segment with no other users (mode 600).
error-publish-damaged = Another program has damaged the segment "{ $key }": { $reason }. Clear it, or remove it and load again.
error-publish-busy = Another program is publishing into the segment "{ $key }" and does not get done: try again, or end that program (it may be stopped).
error-publish-io = Publishing into the segment "{ $key }" failed: { $reason }.

error-read-invalid = What stands in the segment "{ $key }" is damaged or was written by another program: { $reason }. Load it again.
error-read-truncated = The segment "{ $key }" was cut short by another program: remove it and load it again.
error-read-busy = Another program keeps the latest sample of the segment "{ $key }" from being read: try again, or end that program.
error-read-io = Reading the segment "{ $key }" failed: { $reason }.

error-lock-holder = The lock of the segment "{ $key }" is held by { $holder }: wait for it, or end it.
error-lock-unknown = The lock of the segment "{ $key }" is held by another program: wait for it, or end it.
error-lock-would-block = The lock of the segment "{ $key }" is held at the moment: try again, or wait for it.
error-lock-deadlock = This thread holds the lock of the segment "{ $key }" already: let go of the first guard before locking again.
error-lock-not-held = This thread does not hold the lock of the segment "{ $key }" through this handle, or holds it by a guard: lock it first, or drop the guard.

error-qt-key-empty = The key for Qt is empty: write the Qt program's key behind the colon, as in qt:MySharedMemory.
error-qt-key-too-long = The key for Qt is { $bytes } bytes long, and the system has no room for so long a name: choose a shorter one.
error-qt-key-slash = The key for Qt has a "/" at byte { $at }: a POSIX name has one at its beginning and no other.
error-qt-key-character = The key for Qt has the control character { $code } at byte { $at }: leave it out.
error-qt-key-relative = "{ $path }" is no whole path: write systemv: and then the path of the key file from the root on, as QSharedMemory::nativeKey tells it.
error-qt-key-taken = "{ $name }" is the name of a file of shm-core or of a semaphore, and of no Qt program's segment: choose another name, or leave out posix: for a segment of shm-core.
error-qt-key-reserved = The key for Qt has a "?" or "#" that means nothing: write %3F or %23 for the character.
error-qt-key-not-utf8 = The key for Qt is not UTF-8 where it has "%": write %25 for the character.
error-qt-key-scheme = This is no key for Qt: it begins with qt:, qt-posix:, systemv: or posix:.

error-qt-not-found = There is nothing in shared memory under the Qt key "{ $key }": load something first, or check the key.
error-qt-exists = There is a Qt segment under the key "{ $key }" already, in use by { $by }: attach to it, end what uses it, or choose another key.
error-qt-exists-idle = There is a Qt segment under the key "{ $key }" already, and no program is seen to use it: attach to it, or remove it (Qt never removes segments of this kind).
error-qt-in-use = The Qt segment "{ $key }" is in use by { $by }: end that first, or use force.
error-qt-size = A Qt segment of { $size } bytes cannot be made under the key "{ $key }": it has 1 byte at least, and at most what the system allows (ipcs -l).
error-qt-resources = There is no room in shared memory for the Qt segment "{ $key }" ({ $reason }): remove what is not needed (viewer-app list, ipcs), or raise the limit (ipcs -l shows it; containers give 64 MB of /dev/shm unless told otherwise).
error-qt-other-user = The Qt key "{ $key }" is taken by the user with the id { $owner } ({ $path }): have that user remove it, choose another key, or set TMPDIR to a folder of your own for both programs.
error-qt-foreign = The Qt key "{ $key }" is taken by something else: { $path } is not what Qt makes. Choose another key, or have its owner remove it.
error-qt-folder = In the folder { $path } another user could exchange the key file of "{ $key }": set TMPDIR to a folder of your own, or to /tmp, for both programs.
error-qt-not-shared = User { $owner } does not let others read the Qt segment "{ $key }" ({ $reason }): Qt programs never do. Read it as that user, or as root.
error-qt-read-only = The Qt segment "{ $key }" of user { $owner } can only be read: what belongs to another user is not written, locked or removed. Do that as that user.
error-qt-changed = The Qt segment "{ $key }" of user { $owner } changed while it was read, and the lock of another user is not taken: look again.
error-qt-permission = The system does not permit access to the Qt segment "{ $key }" ({ $reason }): another user has a segment with its number (ipcs -m shows whose). Have that user remove it, or set TMPDIR to a folder of your own for both programs.
error-qt-io = The Qt segment "{ $key }" is not accessible: { $reason }.
error-qt-lock-holder = The Qt lock of "{ $key }" is held by { $holder }: wait for it, or end it.
error-qt-lock-killed = The Qt lock of "{ $key }" is held, and no program is seen that has it open: its holder was probably killed, and a lock of this kind then stays held for ever. Remove it with force (viewer-app remove --force).
error-qt-lock-users = The Qt lock of "{ $key }" is held; { $by } has it open. Wait for it, or end it. (A lock of this kind stays held for ever when its holder is killed: then end all of these programs and remove it with force.)
error-qt-lock-lost = A Qt program has reset the lock of "{ $key }" while it was held here (each create() does that): what was read or written may be mixed with that of others. Do it again.
error-qt-no-folder = The folder for the key file of "{ $key }" is not there ({ $reason }): set TMPDIR to one that is, for both programs.
error-qt-lock-io = The Qt lock of "{ $key }" is not accessible: { $reason }. Choose another key, or have its owner remove it.
error-qt-stream = The content of the Qt segment "{ $key }" cannot be read: { $reason }
error-qt-not-this = This is no { $form }: { $reason }. Choose another form (--as, or beside the key), or let it be recognised.
error-qt-unfit = It cannot be written as { $form }: { $reason }. Choose another form (--as, or beside the key).
error-qt-too-long = { $bytes } bytes are too many: a stream of Qt has 4 GiB at most.
error-qt-limit = To read it takes { $bytes } bytes of memory, and the limit is { $limit }: load something smaller.
error-qt-unwritten = It says to be { $bytes } bytes long, and only { $present } were ever written there: load it again.
error-qt-no-memory = There is no memory for a copy of { $bytes } bytes: end other programs, or raise the limit (ulimit -v).
error-qt-cut = The segment was cut short by another program while it was read: load it again.
error-qt-stream-io = The segment cannot be read or written: { $reason }.
error-qt-too-small = The Qt segment "{ $key }" has { $size } bytes, and { $needed } are needed; it cannot be replaced while it is in use by { $by }: end that first, load something shorter, or choose another key.
error-qt-write = The Qt segment "{ $key }" could not be written: { $reason }.

error-remove-not-found = There is nothing in shared memory under the key "{ $key }": check the key.
error-remove-in-use = The segment "{ $key }" is in use by { $by }: end them first, or use force.
error-remove-foreign = The key "{ $key }" is no segment, so it is left alone: { $reason }. Choose another key, or have its owner remove it.
error-remove-permission = The system does not permit to remove the segment "{ $key }": ask its owner to.
error-remove-io = The segment "{ $key }" was not removed: { $reason }.

error-no-directory = The directory { $path } does not exist: create it, or set SHM_CORE_DIR to another.
error-file-system = The directory { $path } is on a file system ({ $kind }) that cannot hold segments: set SHM_CORE_DIR to a directory on a tmpfs, or leave it out for /dev/shm.
error-link-no-directory = Watchers cannot be shown here; all else works. There is no directory for a socket ({ $reason }): set XDG_RUNTIME_DIR to one that is yours alone (mode 700).
error-link-io = Watchers cannot be shown here; all else works. The system says: { $reason }.
error-polling = The system gives no events about the directory of segments ({ $reason }), so it is looked at some times a second instead: end programs that watch files, or raise fs.inotify.max_user_instances and max_user_watches.
error-list-directory = The directory { $path } is not readable ({ $reason }): check that it exists, or set SHM_CORE_DIR to another.

reason-at = { $path }: { $reason }
reason-name-not-utf8 = its name is not UTF-8, so it is no key
reason-magic = it does not begin as a segment does
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
reason-behind-metadata = there are bytes behind the metadata
reason-metadata-cut = the metadata ends too early
reason-metadata-utf8 = a name in the metadata is not UTF-8
reason-metadata-twice = the metadata says the same twice
reason-sides = an image of { $width } × { $height } pixels is out of bounds (1 to { $most } a side)
reason-file-name = file name
reason-media-type = media type
reason-user-data = user data
reason-host-name = host name
reason-program-name = program name
reason-name = its { $what } is { $bytes } bytes long, and { $most } are the most
reason-stride = rows of { $row } bytes do not fit a stride of { $stride }
reason-pixels = the image needs { $needed } bytes of pixels, and there are { $found }
reason-dimensions = an array of { $count } dimensions is out of bounds (1 to { $most })
reason-array = the array needs { $needed } bytes, and there are { $found }
reason-array-too-large = the array needs more bytes than there can be
reason-utf8 = the text is not UTF-8 at byte { $at }
reason-qt-few-bytes = there are only { $bytes } bytes
reason-qt-length = it says to be { $bytes } bytes long, and there are { $room }
reason-qt-odd = { $bytes } bytes are no whole number of UTF-16 units
reason-qt-mark = it begins with { $found } where 1 stands before a picture
reason-qt-png = the PNG file: { $reason }
reason-qt-no-nul = no NUL stands at its end
reason-qt-not-utf8 = the bytes are no UTF-8 text
reason-qt-is-picture = a picture is streamed as qimage
reason-qt-no-picture = this is no picture
reason-qt-nul = it has a NUL, where a C string ends
reason-qt-sides = its sides do not fit its bytes
reason-qt-rows = its rows are longer than they say
reason-qt-no-png = no PNG file can be made of it
