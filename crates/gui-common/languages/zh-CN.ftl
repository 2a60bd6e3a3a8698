# 窗口的简体中文文字。
#
# 每个 id 在每种语言中各有一条。
# 键名、文件名和内容从不翻译。全句用全角标点。


## 通用

close = 关闭
cancel = 取消
between-sentences = {""}
between-names = 、
peer = { $program }（pid { $pid }）
peer-reading = { $program }（pid { $pid }，只读）
peer-and-more = { $name } 和另外 { $count } 个程序
qt-unknown-program = 另一个程序
system-says = 系统提示：{ $reason }。

kind-text = 文本
kind-image = 图片
kind-array = 数组
kind-bytes = 数据
kind-nothing = 空
kind-block = 数据块
kind-semaphore = 信号量
kind-empty = 空
kind-damaged = 已损坏

bytes-few = { $count } 字节
age-now = 刚刚
age-seconds = { $count } 秒
age-minutes = { $count } 分钟
age-hours = { $count } 小时
age-days = { $count } 天
age-just-now = 刚刚
age-old = { $age }前
age-ago = { $age }前
lapse-milliseconds = { $number } 毫秒
lapse-seconds = { $number } 秒


## 键名栏

key-label = 键名
key-placeholder = 自取一个名字
form-automatic = 自动
form-raw = 原始 C 字符串
form-not-here = 只有 Qt 键名（例如 qt:MySharedMemory）下的内容可以选择形式。


## 帮助

help-title = 键盘快捷键
chord-down = ↓
chord-up = ↑
shortcut-look-closer = 放大图片
shortcut-step-back = 缩小图片
shortcut-fit = 让图片适应窗口
shortcut-as-it-is = 按原始像素显示图片
shortcut-key = 转到键名
shortcut-form = 转到 Qt 键名的下一种形式
shortcut-next-field = 转到下一栏
shortcut-field-before = 转到上一栏
shortcut-help = 打开或关闭本帮助
shortcut-quit = 关闭窗口


## 内容

pane-empty-text = 空文本
pane-empty-text-body = “{ $key }”中的文本没有任何字符。
pane-nothing = 请先输入文本
pane-nothing-body = “{ $key }”中现在没有内容：已被清空，或者尚未加载。
pane-cut =
    此处显示 { $whole } 中的前 { $part }。以下命令将全部内容写入文件：
    viewer-app show --key { $key } --output FILE
pane-block = 带锁的数据块
pane-head = 前 { $count } 字节
pane-half-written = 上次写入时写入方意外退出，部分字节可能是旧的
fact-form = { $kind }（{ $form }）
fact-sequence = 序号 { $number }
fact-persistent = 移除前一直保留
group-not-member = 无法将段“{ $key }”交给用户组 { $group }：您不是该组的成员。请选择您所属的组，或加入该组后重新登录。
shared-group = 用户组 { $group } 可以读取（权限 { $mode }）
shared-group-write = 用户组 { $group } 可以读取和更改（权限 { $mode }）
shared-others = 其他用户可以读取（权限 { $mode }）
shared-others-write = 其他用户可以读取和更改（权限 { $mode }）
loaded-by-here = 由本窗口加载（pid { $pid }）
loaded-by = 由 { $program } 加载（pid { $pid }）
loaded-by-left = 由 { $program } 加载（pid { $pid }），该程序已离开
loaded-by-elsewhere = 由 { $host } 上的 { $program } 加载，{ $ago }
loaded-by-stale = { $loaded }，可能已过时
loaded-by-unknown = 由一个已离开的程序加载（pid { $pid }）
also-attached = 其他连接：{ $names }
figures = 已显示 { $shown }，跳过 { $skipped }，{ $latency } 毫秒


## 拖放的文件

dropped-more = { $name } 和另外 { $count } 个文件


## 设置

settings-unreadable = 无法读取本窗口上次保存的设置，已恢复默认。
settings-unreadable-remedy = { $path }：{ $problem }。请修复该文件，或忽略它：下次保存设置时，它会更名为 { $name }。
settings-not-a-file = 这不是文件
settings-too-long = 文件过大
settings-version = 其版本为 { $found }，而本程序支持的版本为 { $known }
settings-size = 窗口不可能有这样的宽高
settings-none = 本窗口不会保存任何设置。
settings-no-home = XDG_CONFIG_HOME 和 HOME 都不是绝对路径。
settings-foreign = { $folder } 属于另一个用户（id { $owner }）。
settings-home-remedy = 请把 HOME 设为您自己的文件夹，例如使用 sudo -H。
settings-unwritable = 无法保存本窗口的设置。
settings-unwritable-remedy = { $path }：{ $reason }。请确认您有写入权限，并且有可用空间。


## 两个窗口共有的错误

clipboard-closed = 无法连接桌面剪贴板。请重试。
clipboard-damaged = 剪贴板中的内容已损坏或过大。请改用文件。
clipboard-system = 桌面剪贴板没有响应（{ $reason }）。请重试，或改用文件。
snapshot-no-thread = 系统无法分配用于监视“{ $key }”的线程（{ $reason }）。请关闭一些程序后重试。
snapshot-not-utf8 = “{ $key }”中的文本不是 UTF-8，加载它的程序有误。请重新加载，或作为文件加载。
snapshot-damaged-picture = “{ $key }”中的图片已损坏：{ $reason }。请重新加载。
pixels-do-not-fit = { $width } × { $height } 像素、每行 { $stride } 字节的图片与其 { $bytes } 字节不符
worker-no-thread = 系统无法分配工作线程（{ $reason }）。请关闭一些程序后重试。
worker-died = 操作失败，这是本程序的错误。请重试。


## SharedMemoryLoad

welcome = 加载文本或图片：它会保留在共享内存中，直到关闭本窗口。
attached = 已连接
attached-elsewhere = 已连接其他键名
not-attached = 未连接
load = 加载
load-image = 从文件加载图片…
path-placeholder = 或输入路径后按 Enter
in-memory-now = 共享内存中的内容
stream = 推流…
stream-stop = 停止
clear = 清空
release = 释放
nothing-there = 这里还没有内容
nothing-there-body = 加载文本或图片，将文件拖到这里，或按 Ctrl+V 粘贴：内容会从共享内存中读回并显示在这里。
cannot-be-read = 无法读取
form-next = 接下来加载到“{ $key }”的内容将写成 { $form }。
form-next-fitting = 接下来加载到“{ $key }”的内容将按其适合的形式写入。
key-left = 已加载到“{ $key }”的内容暂时保留在那里。
key-left-remedy = 加载到其他键名或按“释放”后，它才会被释放。
path-missing = 路径栏是空的。
path-missing-remedy = 请输入或粘贴图片的路径，然后按 Enter。
loading = 正在将 { $file } 加载到“{ $key }”…
loading-read = 已读取 { $percent }%
loading-decoding = 读取完毕，正在解码
cancelling = 正在取消…
loaded = 已将{ $kind }（{ $size }）加载到“{ $key }”（序号 { $sequence }）。
loaded-for-qt = 已将{ $kind }（{ $size }）以 { $form } 加载到“{ $key }”。
loaded-replaces = 它取代了 { $program }（pid { $pid }）加载到“{ $key }”的内容。
loaded-replaces-qt = 它取代了“{ $key }”中原有的内容；{ $program }（pid { $pid }）正在使用“{ $key }”。
cleared = 已清空“{ $key }”：原内容无法再读取。本窗口保持连接。
clear-nothing = 没有可清空的内容。
clear-failed = 无法清空。
released-gone = 已释放“{ $key }”：加载的内容已不存在。
released-stays = 已释放“{ $key }”：内容仍在，因为还有其他程序连接，或者它是常驻的。
release-nothing = 没有可释放的内容。
lost = 加载到“{ $key }”的内容已找不到：其文件已被其他程序移除、移走或替换。
lost-remedy = 请重新加载。如果注销时会被移除，请在 { $file } 中设置 { $setting }。
load-again = 重新加载
load-again-nothing = 没有丢失的内容：无需重新加载。
loaded-shared = “{ $key }”原已存在，且{ $readers }。如果只想自己使用，请先移除“{ $key }”，或换一个键名。
replaced = { $program }（pid { $pid }）取代了本窗口加载到“{ $key }”的内容。
replaced-by-unknown = 另一个程序（pid { $pid }）取代了本窗口加载到“{ $key }”的内容。
drop-outcome = 松开即可加载到“{ $key }”。
drop-without-key = 无法加载：请先更改键名。
only-the-first = { $count } 个文件中只加载了第一个：一次只能加载一个。
paste-nothing = 没有可粘贴的内容。
paste-nothing-remedy = 请先复制文本、图片或文件，然后在这里按 Ctrl+V。
paste-failed = 无法粘贴。

watchers-unknown = 这里无法显示查看的程序。
watchers-one = { $name }正在查看 · { $progress }
watchers-none-shown = { $count } 个程序正在查看 · 尚未显示任何内容
watchers-all = { $count } 个程序正在查看 · 均已显示序号 { $sequence }
watchers-some = { $count } 个程序正在查看 · { $there } 个已显示序号 { $sequence }
watchers-hide = 收起
watchers-show = 逐个显示
watcher-shown-nothing = 尚未显示任何内容
watcher-shown = 序号 { $sequence }，耗时 { $lapse }

file-dialog-image = 选择图片文件
file-dialog-gif = 选择 GIF 动画
file-dialog-folder = 选择图片文件夹
file-dialog-images = 图片
file-dialog-all = 所有文件
file-dialog-open = 文件对话框已经打开。
file-dialog-open-remedy = 如果看不到它，请在按钮旁的栏中输入路径，或再按一次按钮。
file-dialog-cancelled = 未选择文件。
file-dialog-not-shown = 系统未能显示文件对话框。
file-dialog-not-shown-remedy = 请在按钮旁的栏中输入路径。如需对话框，请安装 xdg-desktop-portal-gtk 或 zenity。
file-dialog-died = 系统的文件对话框意外关闭，没有给出结果。
file-dialog-died-remedy = 请在按钮旁的栏中输入路径，或重试。

text-title = 要加载的文本
text-key = 它将以键名“{ $key }”存入共享内存。
text-placeholder = 输入或粘贴任意文字的文本。
text-missing = 请先输入文本
text-hint = Ctrl+Enter 确定，Esc 取消
text-ok = 确定

stream-title = 推流
stream-body = 测试图案、GIF 动画或文件夹中的图片会以键名“{ $key }”逐帧存入共享内存，直到按“停止”。
stream-pattern = 测试图案
stream-gif = GIF 动画…
stream-folder = 文件夹…
stream-path-placeholder = 或输入 GIF 或文件夹的路径后按 Enter
stream-path-missing = 请输入或粘贴 GIF 或文件夹的路径，然后按 Enter。
stream-each = 文件夹中每张图片停留
stream-seconds = 秒
stream-seconds-wrong = 0.02 至 3600 秒
stream-hint = Esc 关闭
streaming = 正在推流…
streaming-figures = 正在推流 · { $report }
streaming-report = { $frames } 帧 · { $rate } fps
streaming-name = 正在推流：{ $name }。
streaming-into = 正在将{ $name }推流到“{ $key }”。
streaming-pattern = 测试图案
streaming-left-out = 部分帧被略过，画面停在最后一帧。
streaming-not-pictures = 已略过 { $count } 个非图片文件。
streaming-damaged = 文件已损坏：只显示前 { $count } 帧。
streamed = 已将 { $frames } 帧（{ $bytes }）推流到“{ $key }”。
streamed-in-time = 已将 { $frames } 帧（{ $bytes }）推流到“{ $key }”，用时 { $seconds } 秒，每秒 { $rate } 帧。
streamed-left-out = 另有 { $frames } 帧被略过。
streamed-remedy = 最后一帧会保留到“释放”为止。
streamed-nothing = 推流在第一帧之前就已停止。

shortcut-load-text = 输入要加载的文本
shortcut-accept-text = 加载已输入的文本
shortcut-load-image = 从文件加载图片
shortcut-load-again = 重新加载丢失的内容
shortcut-paste = 加载已复制的文本、图片或文件
shortcut-stream = 推流，或停止推流
shortcut-path = 转到图片路径
shortcut-clear = 清空已加载的内容
shortcut-release = 释放已加载的内容
shortcut-cancel = 关闭打开的面板，或取消

load-no-segment = 无法创建共享内存段。
load-not-published = 无法加载到共享内存段。
load-no-pixels = 复制的内容不是图片。
load-no-pixels-remedy = 请重新复制，或先存为文件再加载。
load-cancelled = 已取消：未加载 { $name }。
load-cancelled-remedy = 之前加载的内容保持不变。
load-unreadable = 无法读取 { $name }。
file-not-found = 没有这个文件：请检查路径。
file-is-folder = 这是文件夹：请选择其中的文件。
file-not-permitted = 系统不允许：请检查文件的所有者和权限。
file-is-device = 这是设备或管道：请改选文件。

picture-unreadable = 无法读取文件 { $path }。
picture-is-none = 所选文件不是图片，请另选一个。
picture-too-large = 图片过大。
picture-is-folder = { $path } 是文件夹。
picture-is-no-file = { $path } 不是普通文件。
picture-reason = { $path }：{ $reason }。
picture-claims = { $path } 声称有 { $width } × { $height } 像素。
picture-claims-more = { $path } 声称的内容超出解码器可用的内存。
picture-side = 每边最多可加载 { $side } 像素：请先缩小图片。
picture-takes = 加载它最多需要 { $needed } MiB 内存，上限为 { $limit }。
picture-takes-more = 加载它需要的内存超过上限 { $limit }。
picture-limit-remedy = 请在命令行提高上限，例如 loader-app image --limit { $limit }，或先缩小图片。
flaw-cut = 文件不完整
flaw-format = 格式未知
flaw-rare = 这种少见的格式无法读取，请先存为 PNG
flaw-decoder = 解码器无法处理它
flaw-frames = 其中没有帧
flaw-other = 文件已损坏或无法解码（{ $reason }）

frames-stopped = 推流已停止。
frames-stopped-remedy = 需要时可以重新开始。
frames-size = 帧不能是这个大小。
frames-size-remedy = 请另选大小：{ $reason }。
frames-size-bytes = { $width } × { $height } 像素的一帧需要 { $needed } MiB，上限为 { $limit }；可用 --limit { $enough } 提高上限
frames-input = 无法读取视频。
frames-cut-off = 视频在一帧中途结束：该帧共 { $whole } 字节，缺少 { $missing } 字节。
frames-cut-off-remedy = 如果视频是完整的，则 --size 或 --format 与写入方不一致：两边每帧的字节数必须相同。
frames-folder = 无法读取文件夹 { $path }。
frames-folder-not-found = 没有这个文件夹：请检查路径。
frames-folder-not-permitted = 系统不允许：请检查文件夹的所有者和权限。
frames-no-pictures = 文件夹 { $path } 中没有图片。
frames-no-pictures-remedy =
    { $count ->
        [0] 其中没有文件：请另选一个。
       *[other] 其中 { $files } 个文件都不是图片：请另选一个。
    }
frames-not-a-gif = 所选文件不是 GIF 动画。
frames-not-a-gif-remedy = { $path } 是其他类型的文件。静态图片请用“从文件加载图片…”加载。


## ShowSharedMem

ready = 就绪。
show = 从共享内存显示
live = 实时
copy = 复制
save-as = 另存为…
segments = 段列表
history = 历史记录
shown = 当前内容
segments-title = 本机上的段
history-title = 曾经显示
history-clear = 清空历史记录
nothing-shown = 尚未显示任何内容
nothing-shown-body = 请在 SharedMemoryLoad 中加载文本或图片，然后按上面的按钮在这里查看。
reading = 正在读取“{ $key }”…
key-unusable = 这个键名不可用。
showing-text = 正在显示“{ $key }”中的文本，{ $bytes }。
showing-image = 正在显示“{ $key }”中的图片，{ $bytes }。
showing-bytes = 正在显示“{ $key }”中的数据，{ $bytes }。
showing-nothing = “{ $key }”中没有可显示的内容。
show-not-found = 无法连接到共享内存段。请先加载图片。
show-not-found-title = 请先输入文本
show-not-found-body = “{ $key }”中还没有内容。请以相同的键名启动 SharedMemoryLoad，按“加载”并输入文本，然后在这里显示。
show-not-attached = 无法连接到共享内存段。
show-impossible = 无法显示此内容。
show-no-worker = 窗口无法读取。
appeared = “{ $key }”中现在有内容了。请按“从共享内存显示”。
drop-refused = 文件请在另一个窗口 SharedMemoryLoad 中加载。
drop-refused-status = 文件由 SharedMemoryLoad 加载，而不是本窗口。
drop-refused-remedy = 请拖放到那里，或运行：loader-app { $command } --key { $key } { $path }
copied = 已复制：在关闭本窗口之前，可以粘贴到任何地方。
copied-part = 已复制{ $part }。
copied-part-remedy = 共享内存中的内容已经改变：如需其余部分，请重新显示。
copy-failed = 无法复制。
nothing-to-save = 这里没有可复制或保存的内容。
nothing-to-save-remedy = 请先按“从共享内存显示”。
saved = 已保存为 { $path }。

live-qt = Qt 程序不会通知内容的变化，因此每秒最多查看五次。
live-on = 实时：加载到“{ $key }”的内容会自动显示在这里。
live-off = 实时已关闭：当前内容保留。如需重新读取，请按“从共享内存显示”。
live-left = 加载方已离开；这是最后的副本。
live-waiting = 正在等待“{ $key }”中出现内容。
live-waiting-title = 这里还没有内容
live-waiting-body = 加载到“{ $key }”的内容会自动显示在这里：可以是 SharedMemoryLoad 的文本或图片，也可以是任何程序的帧。

presence-enter = 按 Enter 跟随
presence-left = 加载方已离开
presence-waiting = 等待中
presence-gone = 没有内容
presence-barred = 无法读取
presence-following = 跟随中
presence-polling = 轮询中
presence-block = 数据块，{ $bytes }
presence-semaphore = 信号量，可用 { $available }
presence-qt = Qt，{ $bytes }
presence-new = { $kind }，{ $bytes }
presence-shown = 已是最新
presence-newer = 有新内容

shown-before = 这是{ $ago }显示过的内容，并非现在的内容。
shown-before-live = 实时已关闭：打开它即可查看现在的内容。
shown-before-remedy = 按“从共享内存显示”查看现在的内容。
shown-before-title = 来自历史记录，{ $ago }
history-empty = 尚未显示过任何内容
history-empty-body = 本窗口显示过的内容会列在这里。它们只保存在内存中，关闭窗口后即消失。
history-note = 只保存在本窗口的内存中，加载方清空后也仍在此处。
history-picture = { $width } × { $height } 的图片
history-block = 一个数据块
history-blanks = 只有空白的文本
history-cleared = 历史记录已清空。
history-cleared-remedy = 当前显示的内容会保留到显示其他内容为止。

filter-placeholder = 按键名、类型或加载方筛选
segments-unlisted = 无法列出段
segments-none = 现在没有共享内存段
segments-none-body = 在 SharedMemoryLoad 中加载内容，它就会自动出现在这里。
segments-filtered = 没有匹配的段
segments-filtered-body = 缩短上面的筛选文字可以看到更多。
segment-unattached = 没有程序连接
segment-attached = { $count } 处连接
segment-unseen = 未见程序使用
segment-left = 加载方已离开
segment-watching = { $count } 个正在查看
segment-units = 可用 { $available }，占用 { $held }
segment-persistent = 常驻
segment-left-alone = 已忽略：{ $reason }
segments-left-alone = { $count } 个名称不是段
segments-left-alone-body = 已忽略。用筛选可以找到其中每一个；viewer-app list --all 会全部列出。
segment-unknown-program = 另一个程序
remove = 移除
remove-force = 强制移除
remove-keep = 保留
remove-question = 移除“{ $key }”？
remove-question-body = 其中的内容将永久消失。
remove-in-use = “{ $key }”正由 { $by }使用。
remove-in-use-body = 正在使用的程序可以继续使用，其他程序将无法再找到它。
removing = 正在移除“{ $key }”…
remove-failed = 未能移除“{ $key }”。
removed = 已移除“{ $key }”。

save-dialog = 另存为
save-text = 文本另存为
save-text-hint = 以 UTF-8 逐字节写入。
save-picture = 图片另存为
save-picture-hint = 扩展名决定格式：png、jpg、bmp、gif、webp、ppm 或 qoi。
save-bytes = 数据另存为
save-bytes-hint = 按原样写入。
save-placeholder = 路径
save-browse = 浏览…
save-hint = Enter 保存，Esc 取消
save = 保存
save-replace = 替换
save-part = 保存部分内容
saving = 正在保存…
save-taken = { $path } 已存在。要替换它吗？
save-only-part = “{ $key }”中的内容已经改变，这里只剩{ $part }。要保存吗？
save-no-path = 路径栏是空的。请输入路径，例如 ~/copy.txt。
save-not-shown = 系统未能显示文件对话框。请在这里输入路径。
save-died = 系统的文件对话框意外关闭，没有给出结果。请在这里输入路径。
part-first = { $whole } 中的前 { $part }
part-smaller = { $width } × { $height } 像素的缩小副本（原图 { $whole_width } × { $whole_height }）

export-only-file = 剪贴板只接受文本和图片。数据请存为文件：按“另存为…”。
export-nothing = 这里还没有内容。请先显示内容。
export-no-ending = 文件名没有扩展名，无法确定格式。请使用 { $endings }。
export-ending = 图片不能写成“{ $ending }”格式。请使用 { $endings }。
export-endings = png、jpg、bmp、gif、webp、ppm 或 qoi
export-damaged = 图片已损坏：{ $reason }。请重新加载。
export-too-large = 这样写入 { $width } × { $height } 像素需要 { $needed } MiB 内存，上限为 { $limit }。
export-limit-remedy = 请在命令行提高上限，例如 viewer-app show --output FILE --limit { $limit }，或改用占用较少的 bmp、ppm 或 jpg。
export-format = 该格式无法容纳这张图片：{ $reason }。请改用其他格式：png 可以容纳任何图片。
output-failed = 无法写入 { $place }：{ $reason }。
output-not-found = 请先创建文件夹，或另选一个。
output-not-permitted = 请选择您有写入权限的文件夹：新文件会替换旧文件。
output-no-space = 请在那里腾出空间，或另选位置。
output-is-folder = 请指定其中的文件。
output-taken = 请换一个名字，或替换它。
output-too-large = 请用 ulimit -f unlimited 允许更大的文件。
output-other = 请另选位置。
output-link = 这是不属于您的链接
output-link-remedy = 请指定它所指向的文件，或另选一个。
output-no-reader = 这是没有程序读取的管道
output-no-reader-remedy = 请先启动读取它的程序。
output-foreign = 这是其他用户的管道或设备
output-terminal = 这是终端，会执行写入其中的控制字符
output-not-a-file = 这既不是文件也不是管道
output-not-a-file-remedy = 请指定您自己的文件。

shortcut-show = 显示共享内存中的内容
shortcut-live = 开启或关闭实时显示
shortcut-copy = 复制当前内容
shortcut-save = 保存当前内容
shortcut-segments = 打开或关闭段列表
shortcut-history = 打开或关闭历史记录
shortcut-close = 关闭打开的面板
shortcut-list-down = 在段列表中下移
shortcut-list-up = 在段列表中上移


## 错误（src/explain.rs）

error-orphaned = 段“{ $key }”已被其他程序移除、移走或替换：请重新打开。
error-read-size = 段“{ $key }”的样本有 { $bytes } 字节，而所要的值有 { $wanted } 字节：请使用约定一致的程序。
error-no-memory = 没有内存来复制段“{ $key }”中的 { $bytes } 字节：请结束其他程序，或提高限制（ulimit -v）。
error-file-size-limit = 本进程的文件大小限制（ulimit -f）不允许写入段“{ $key }”：请提高限制（ulimit -f unlimited）。段文件看起来很长，但占用的内存不超过其内容。
error-forked = 段“{ $key }”的这个句柄属于父进程：请在 fork 之后自行打开。
error-busy = { $holder }正在创建、连接或移除段“{ $key }”，迟迟没有完成：请重试，或结束该程序（它可能已被暂停）。
error-holder-process = { $program }（pid { $pid }，用户 { $user }）
error-holder-other-user = 另一个用户的进程
error-holder-unknown = 另一个程序
error-other-user = 段“{ $key }”属于用户 { $owner }，只有该用户可以创建、更改和移除它（超级用户也只能读取）：请以该用户的身份操作。

error-key-empty = 键名为空：请给段取个名字，例如 MySharedMemory。
error-key-too-long = 键名长 { $bytes } 字节，最多 { $most } 字节：请改短一些。
error-key-slash = 键名的第 { $at } 字节处有“/”：键名是名字，不是路径。
error-key-character = 键名的第 { $at } 字节处有控制字符或不可见字符 { $code }：请去掉它。如果其他程序以这样的名称建立了文件，viewer-app list 会说明如何删除。
error-key-scheme = 键名以“{ $scheme }:”开头，这是为其他类型的段保留的：请去掉这个前缀。

error-attach-not-found = 共享内存中没有键名“{ $key }”：请先加载内容，或检查键名。
error-attach-exists = 键名“{ $key }”的段已经存在：请连接它、移除它，或另选键名。
error-attach-foreign = 键名“{ $key }”已被占用：{ $reason }。请另选键名，或让其所有者移除。
error-attach-version = 段“{ $key }”的布局版本为 { $found }，本程序不支持：请使用同一发行版的程序。
error-attach-kind = 段“{ $key }”是另一种类型（样本、块和信号量不能互相替代）：请另选键名。
error-attach-permission = 系统不允许访问段“{ $key }”：请检查它及其目录的所有者和权限。
error-attach-no-space = 共享内存中没有空间容纳段“{ $key }”：请移除不需要的内容，或扩大文件系统（容器默认只有 64 MB；Docker 可用 --shm-size）。
error-attach-slots-blocked = { $holder }只能读取段“{ $key }”，却锁住了其空闲的位置：请结束该程序，或不与其他用户共享该段（模式 600）。
error-attach-slots = 段“{ $key }”的 { $slots } 个位置都已占满：请结束一个已连接的程序。
error-attach-timeout = 键名“{ $key }”没有及时出现在共享内存中。
error-attach-size = 无法以键名“{ $key }”创建 { $size } 字节的块：大小须为 1 字节至 64 GiB。
error-attach-units = 无法以键名“{ $key }”创建 { $units } 个单位的信号量：最多 32,767 个。
error-attach-io = 无法访问段“{ $key }”：{ $reason }。

error-publish-no-space = 共享内存中没有空间将 { $bytes } 字节放入段“{ $key }”；之前加载的内容保持不变。请移除不需要的内容，或扩大文件系统（容器默认只有 64 MB；Docker 可用 --shm-size）。
error-publish-too-large = { $bytes } 字节超出了段“{ $key }”单个样本的上限：最多 64 GiB。
error-publish-metadata = 要加载到段“{ $key }”的内容有误：{ $reason }。
error-publish-regions-read = 段“{ $key }”的所有区域都在被读取：请结束一些读取它的程序。
error-publish-regions = 段“{ $key }”的所有区域都在被读取，其中有{ $holder }：请结束一些读取它的程序，或不与其他用户共享该段（模式 600）。
error-publish-damaged = 另一个程序损坏了段“{ $key }”（{ $reason }）。请清除它，或移除后重新加载。
error-publish-busy = 另一个程序正在向段“{ $key }”发布内容，迟迟没有完成：请重试，或结束该程序（它可能已被暂停）。
error-publish-io = 发布到段“{ $key }”失败：{ $reason }。

error-read-invalid = 段“{ $key }”中的内容已损坏，或由其他程序写入：{ $reason }。请重新加载。
error-read-truncated = 段“{ $key }”被其他程序截短：请移除后重新加载。
error-read-busy = 另一个程序使段“{ $key }”的最新样本无法读取：请重试，或结束该程序。
error-read-io = 读取段“{ $key }”失败：{ $reason }。

error-lock-holder = 段“{ $key }”的锁由 { $holder } 持有：请等待，或结束它。
error-lock-unknown = 段“{ $key }”的锁由另一个程序持有：请等待，或结束它。
error-lock-would-block = 段“{ $key }”的锁正被持有：请重试，或等待。
error-lock-deadlock = 本线程已持有段“{ $key }”的锁：请先释放前一个锁，再重新加锁。
error-lock-not-held = 本线程没有通过此句柄持有段“{ $key }”的锁，或由守卫持有：请先加锁，或先释放守卫。

error-qt-key-empty = Qt 键名为空：请在冒号后写上 Qt 程序的键名，例如 qt:MySharedMemory。
error-qt-key-too-long = Qt 键名长 { $bytes } 字节，系统容纳不下这么长的名字：请改短一些。
error-qt-key-slash = Qt 键名的第 { $at } 字节处有“/”：POSIX 名字只在开头有一个“/”。
error-qt-key-character = Qt 键名的第 { $at } 字节处有控制字符 { $code }：请去掉它。
error-qt-key-relative = “{ $path }”不是完整路径：请在 systemv: 后写出键文件从根目录起的路径，即 QSharedMemory::nativeKey 返回的路径。
error-qt-key-taken = “{ $name }”是本程序的段或信号量的文件名，不是 Qt 程序的段：请换一个名称；若要使用本程序的段，请去掉 posix:。
error-qt-key-reserved = Qt 键名中的“?”或“#”没有意义：若要写这个字符，请写 %3F 或 %23。
error-qt-key-not-utf8 = Qt 键名中“%”表示的内容不是 UTF-8：若要写这个字符，请写 %25。
error-qt-key-scheme = 这不是 Qt 键名：Qt 键名以 qt:、qt-posix:、systemv: 或 posix: 开头。

error-qt-not-found = 共享内存中没有 Qt 键名“{ $key }”：请先加载内容，或检查键名。
error-qt-exists = Qt 键名“{ $key }”的段已经存在，正由 { $by } 使用：请连接它、结束使用它的程序，或另选键名。
error-qt-exists-idle = Qt 键名“{ $key }”的段已经存在，但未见有程序使用：请连接它，或移除它（Qt 从不移除这类段）。
error-qt-in-use = Qt 段“{ $key }”正由 { $by } 使用：请先结束它，或强制移除。
error-qt-size = 无法以键名“{ $key }”创建 { $size } 字节的 Qt 段：至少 1 字节，最多为系统允许的大小（ipcs -l）。
error-qt-resources = 共享内存中没有空间容纳 Qt 段“{ $key }”（{ $reason }）：请移除不需要的内容（viewer-app list、ipcs），或提高限制（ipcs -l 可查看；容器的 /dev/shm 默认只有 64 MB）。
error-qt-other-user = Qt 键名“{ $key }”已被 id 为 { $owner } 的用户占用（{ $path }）：请让该用户移除，另选键名，或让两个程序的 TMPDIR 指向您自己的文件夹。
error-qt-foreign = Qt 键名“{ $key }”已被占用：{ $path } 不是 Qt 创建的。请另选键名，或让其所有者移除。
error-qt-folder = 在文件夹 { $path } 中，其他用户可以调换“{ $key }”的键文件：请让两个程序的 TMPDIR 指向您自己的文件夹，或 /tmp。
error-qt-not-shared = 用户 { $owner } 不让他人读取 Qt 段“{ $key }”（{ $reason }）：Qt 程序从不共享。请以该用户或系统管理员的身份读取。
error-qt-read-only = 用户 { $owner } 的 Qt 段“{ $key }”只能读取：不会写入、锁定或移除其他用户的内容。请以该用户的身份操作。
error-qt-changed = 用户 { $owner } 的 Qt 段“{ $key }”在读取时发生了变化，因为不会获取其他用户的锁：请重新读取。
error-qt-permission = 系统不允许访问 Qt 段“{ $key }”（{ $reason }）：另一个用户的段用了它的编号（ipcs -m 可查看）。请让该用户移除，或让两个程序的 TMPDIR 指向您自己的文件夹。
error-qt-io = 无法访问 Qt 段“{ $key }”：{ $reason }。
error-qt-lock-holder = “{ $key }”的 Qt 锁由 { $holder } 持有：请等待，或结束它。
error-qt-lock-killed = “{ $key }”的 Qt 锁被持有，但未见有程序打开它：持有者多半已被终止，而这类锁会一直被持有。请强制移除（viewer-app remove --force）。
error-qt-lock-users = “{ $key }”的 Qt 锁被持有；{ $by } 打开了它。请等待，或结束它。（持有者被终止时，这类锁会一直被持有：请结束所有这些程序，再强制移除。）
error-qt-lock-lost = 持有“{ $key }”的锁时，一个 Qt 程序把锁重置了（每次 create() 都会这样）：读写的内容可能与别的程序混杂。请重试。
error-qt-no-folder = “{ $key }”的键文件所在的文件夹不存在（{ $reason }）：请让两个程序的 TMPDIR 指向存在的文件夹。
error-qt-lock-io = 无法访问“{ $key }”的 Qt 锁：{ $reason }。请另选键名，或让其所有者移除。
error-qt-stream = Qt 段“{ $key }”中的内容无法读取：{ $reason }
error-qt-not-this = 这里的内容不是 { $form }：{ $reason }。请另选形式（--as，或在键名旁选择），或让程序自动识别。
error-qt-unfit = 无法按 { $form } 写入：{ $reason }。请另选形式（--as，或在键名旁选择）。
error-qt-too-long = { $bytes } 字节太多：一个 Qt 流最多 4 GiB。
error-qt-limit = 读取它需要 { $bytes } 字节内存，而上限是 { $limit }：请加载小一些的内容。
error-qt-unwritten = 它声称长 { $bytes } 字节，而那里只写过 { $present } 字节：请重新加载。
error-qt-no-memory = 没有内存容纳 { $bytes } 字节的副本：请结束其他程序，或提高限制（ulimit -v）。
error-qt-cut = 读取时，段被另一个程序截短：请重新加载。
error-qt-stream-io = 无法读写该段：{ $reason }。
error-qt-too-small = Qt 段“{ $key }”有 { $size } 字节，而需要 { $needed } 字节；正由 { $by } 使用时不能替换：请先结束它，加载更短的内容，或另选键名。
error-qt-write = 无法写入 Qt 段“{ $key }”：{ $reason }。

error-remove-not-found = 共享内存中没有键名“{ $key }”：请检查键名。
error-remove-in-use = 段“{ $key }”正由 { $by }使用：请先结束它们，或强制移除。
error-remove-foreign = 键名“{ $key }”下不是段，因此不予处理：{ $reason }。请另选键名，或让其所有者移除。
error-remove-permission = 系统不允许移除段“{ $key }”：请让其所有者移除。
error-remove-io = 未能移除段“{ $key }”：{ $reason }。

error-no-directory = 目录 { $path } 不存在：请创建它，或将 SHM_CORE_DIR 设为其他目录。
error-file-system = 目录 { $path } 所在的文件系统（{ $kind }）不能存放段：请将 SHM_CORE_DIR 设为内存文件系统上的目录，或不设置它，以使用 /dev/shm。
error-presence-no-directory = 无法显示查看的程序；其他功能不受影响。没有可放套接字的目录（{ $reason }）：请将 XDG_RUNTIME_DIR 设为只属于您的目录（模式 700）。
error-presence-io = 无法显示查看的程序；其他功能不受影响。系统提示：{ $reason }。
error-polling = 系统无法再通知存放段的目录有变化（{ $reason }），因此改为每秒查看数次：请结束监视文件的程序，或提高 fs.inotify.max_user_instances 和 max_user_watches。
error-list-directory = 无法读取目录 { $path }（{ $reason }）：请检查它是否存在，或将 SHM_CORE_DIR 设为其他目录。

reason-at = { $path }：{ $reason }
reason-name-not-utf8 = 它的名称不是 UTF-8，因此不是键名
reason-magic = 它的开头与段不符
reason-slots = 它声称有 { $count } 个槽位
reason-kind = 它的类型未知（{ $kind }）
reason-block = 它声称是 { $bytes } 字节的块
reason-cut = 它被截短：{ $whole } 字节中只有 { $bytes } 字节
reason-memory = 它声称有 { $bytes } 字节，实际内存为 { $memory } 字节
reason-short = 它太短，不可能是段
reason-owner = 它属于用户 { $found }，而不是用户 { $expected }
reason-directory = 它是用户 { $owner } 的目录，而不是普通文件
reason-link = 它是用户 { $owner } 的符号链接，而不是普通文件
reason-pipe = 它是用户 { $owner } 的命名管道，而不是普通文件
reason-socket = 它是用户 { $owner } 的套接字，而不是普通文件
reason-device = 它是用户 { $owner } 的设备，而不是普通文件
reason-unsafe-owner = { $path } 属于用户 { $owner }
reason-unsafe-mode = { $path } 对其他用户开放（模式 { $mode }）
reason-positions = 其记录的位置互相矛盾
reason-record = 有记录的头部不可能成立
reason-sequence = 有记录的序号退回到 { $sequence }
reason-region = 它指向不存在的区域 { $region }
reason-no-memory = 它声称有 { $bytes } 字节，但没有这么多内存
reason-ring = 它声称环形缓冲区有 { $bytes } 字节
reason-payload = 它声称内容有 { $bytes } 字节
reason-metadata = 对这样长的环形缓冲区来说太长
reason-behind-metadata = 元数据之后还有字节
reason-metadata-cut = 元数据过早结束
reason-metadata-utf8 = 元数据中的一个名称不是 UTF-8
reason-metadata-twice = 元数据中同一项出现了两次
reason-sides = { $width } × { $height } 像素的图片超出范围（每边 1 至 { $most }）
reason-file-name = 文件名
reason-media-type = 媒体类型
reason-user-data = 用户数据
reason-name = { $what }长 { $bytes } 字节，最多 { $most } 字节
reason-host-name = 主机名
reason-program-name = 程序名
reason-stride = 每行 { $row } 字节，与行距 { $stride } 不符
reason-pixels = 图片需要 { $needed } 字节的像素，实际有 { $found } 字节
reason-dimensions = 数组的维数 { $count } 超出范围（1 到 { $most }）
reason-array = 数组需要 { $needed } 字节，实际有 { $found } 字节
reason-array-too-large = 数组需要的字节数超出了可能的范围
reason-utf8 = 文本在第 { $at } 字节处不是 UTF-8
reason-qt-few-bytes = 只有 { $bytes } 字节
reason-qt-length = 它声称长 { $bytes } 字节，实际有 { $room } 字节
reason-qt-odd = { $bytes } 字节不是整数个 UTF-16 单元
reason-qt-mark = 它以 { $found } 开头，而图片之前应为 1
reason-qt-png = PNG 文件：{ $reason }
reason-qt-no-nul = 末尾没有 NUL
reason-qt-not-utf8 = 这些字节不是 UTF-8 文本
reason-qt-is-picture = 图片以 qimage 形式写入
reason-qt-no-picture = 这不是图片
reason-qt-nul = 其中有 NUL，而 C 字符串到 NUL 为止
reason-qt-sides = 它的边长与字节数不符
reason-qt-rows = 它的行比声称的长
reason-qt-no-png = 无法生成 PNG 文件
