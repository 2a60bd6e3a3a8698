//! Detecting the form of the bytes in a segment.

use super::{Form, HEAD, NULL, ReadAt, StreamError};

/// How many bytes are examined.
const SAMPLE: usize = 4096;

/// How many bytes distinguish ASCII from UTF-16: a longer Chinese text contains a byte that is not
/// printable.
const EVIDENCE: usize = 64;

/// The most common Chinese and Japanese characters whose two bytes are printable ASCII, without
/// those whose bytes are common in ASCII: 批 (by), 桥 (he), 杯 (go), 潮 (on), 慢 (ab), and 孝 ([]).
const COMMON: &str = "\
    三上不两严丧个中丰临丹为主丽举乃久么义之乌乎乏乐乘九也习乡书买乱乳伊伍传伤伦伯估\
    伴伸似但位低住体何余佛作你佳倍值倾假偏做停健偶偷儿元兄充先光克免党入全八公六兰共\
    关兴兵其具典养兼刊判利别到制券刺刻剂前剑剧剩副割区医十千升午半华协单卖南博占卡\
    卢卫印危即却卷吉名否吧吨含听启吴吸吹呀呆呈告员呢周味呼命售唯唱商啊啦嘉嘴器圣在地\
    场址均坏坐块坚坛坡坦堡堰塔塞复大天太夫央失头夺奇奉奋奏奔奖套奥女奴奶她好婆婚子孔\
    字存孙季孤学孩尊尤就尸尺尼尽尾局层居屈届屋展属山带席帮常幅幕干平年并幸幼张弦弱弹\
    强归当录形彩影役彻彼急性怪总恐恢恨恩息恰恶愤愿慈截戴户房所扇手才扎扑打托执扩扫扬\
    扶找按挥振挺捕损换据搭摄摆摇摩摸支收改攻放政故效敌敏救教敢散敬数整映春昨是显時晋\
    晓晚普景晶智有服木未末本术朱机杀杂权李材村杜束条来杨杭杰東松校样核根格桂桃案桌桜\
    档植楚業楼楽模横次欢欧欲款歌止正此步武死氧水永求汇汉汗江池污汤汽津洪洲活派流浅测\
    济浓浜浪浮海渡温港游湖湘湾漢漫潜火灭灯灰灵灾無焦然煤照爱父爷爸爹片版牌牙牛牧物牵\
    特猪猫献琴瑞産用田由甲申电男画界留略番登白百眉眼着睛睡督破础硬确示礼社祖祝神祥票\
    祭稍稳穴究穷空符第等筑答策签籍米类素索紧紫累組繁\
";

/// The signature of a PNG file.
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Returns the most likely form, checking the strongest evidence first.
///
/// A `QByteArray` of printable ASCII could also be a `QString` of Chinese characters. It counts as
/// one only if at least three quarters of those characters are common.
pub(super) fn form_of(source: &impl ReadAt) -> Result<Form, StreamError> {
    let mut sample = [0; SAMPLE];
    let count = SAMPLE.min(source.size());
    let sample = &mut sample[..count];
    source.read_at(0, sample)?;
    let Some((head, body)) = sample.split_first_chunk::<HEAD>() else {
        return Ok(Form::Raw);
    };
    let length = u32::from_be_bytes(*head);
    if length == 1 && body.starts_with(&PNG) {
        return Ok(Form::QImage);
    }
    if length == NULL || length == 0 {
        return Ok(Form::QString);
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let room = source.size() - HEAD;
    if length > room {
        return Ok(Form::Raw);
    }
    let is_whole = length <= body.len();
    let body = &body[..length.min(body.len())];
    if is_whole
        && let [text @ .., 0] = body
        && is_text(text)
    {
        return Ok(Form::CString);
    }
    let is_utf16 = length.is_multiple_of(2) && is_utf16(body);
    let is_ascii = body.iter().all(|byte| is_printable(*byte));
    if is_utf16 && (!is_ascii || is_common_cjk(body)) {
        return Ok(Form::QString);
    }
    // A length that matches exactly is unlikely to be a coincidence.
    if length == room || is_ascii || is_text(body) {
        return Ok(Form::QByteArray);
    }
    Ok(Form::Raw)
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Returns `true` if bytes are UTF-8 without control characters. The last character may be cut.
fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.contains(is_forbidden_control)
}

/// Returns `true` if bytes are UTF-16 without control characters. The last surrogate pair may be
/// cut.
fn is_utf16(bytes: &[u8]) -> bool {
    let (mut pairs, _) = bytes.as_chunks::<2>();
    if let [before @ .., [0xd8..=0xdb, _]] = pairs {
        pairs = before;
    }
    let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
    char::decode_utf16(units).all(|character| {
        character
            .is_ok_and(|character| !is_forbidden_control(character) && !is_noncharacter(character))
    })
}

/// Returns `true` if printable bytes are more likely UTF-16 than ASCII.
fn is_common_cjk(bytes: &[u8]) -> bool {
    let (pairs, _) = bytes[..EVIDENCE.min(bytes.len())].as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
    let common = units.filter(|unit| match unit {
        // Hiragana, and letters of Indian scripts, which as ASCII would have a tab or a line end as
        // every other byte.
        0x3041..=0x307e | 0x0920..=0x097e | 0x0a20..=0x0a7e | 0x0d20..=0x0d7e => true,
        _ => char::from_u32(u32::from(*unit)).is_some_and(|it| COMMON.contains(it)),
    });
    common.count() * 4 >= pairs.len() * 3
}

fn is_forbidden_control(character: char) -> bool {
    character.is_control() && !character.is_whitespace()
}

fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}
