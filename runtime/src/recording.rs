//! Recorded launches: what tests gave to kernels, and what memory must hold afterwards.
//!
//! # Definition
//! A recording is a library ([`Library`]) with `recording.json` beside its manifest. It lists launches
//! in the order in which they were made; each names a kernel by its row in the manifest, its machine
//! words, and its buffers with their content before and after as plain bytes in files of their own.
//! Whoever can run the kernels can repeat the launches and [`RecordedBuffer::compare`] what comes
//! out, without a compiler and without the language.
//!
//! A launch without expectations is there to be timed: buffers that it does not name the content of
//! hold [`FILLING`].
//!
//! # Invariants
//! * R1: a recording of another format or version is refused, never guessed at.
//! * R2: every launch names a kernel of the manifest, and every word a buffer of its launch.
//! * R3: names of files stay inside the folder, and data has the length that is said.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use tile_plan::BoundMap;

use crate::manifest::{KernelEntry, Library, LibraryError, sha256, stays_inside};

/// The word that marks a recording of this format.
pub const FORMAT: &str = "tile-recording";

/// The version of the format that this crate writes and reads.
pub const VERSION: u32 = 1;

/// The name of the list of launches in its directory.
pub const FILE_NAME: &str = "recording.json";

/// What memory holds where a recording does not say: 1.0 and a little in every common float type.
pub const FILLING: [u8; 2] = [0x80, 0x3f];

/// The list of launches.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Index {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// In the order in which they were made.
    pub launches: Vec<RecordedLaunch>,
}

/// One launch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecordedLaunch {
    /// Who made it: the file and title of the test.
    pub origin: String,
    /// The kernel's row in the manifest.
    pub kernel: u32,
    /// The file with the kernel's tile IR, for engines that begin there.
    pub ir: String,
    /// Blocks along each axis.
    pub grid: [u32; 3],
    /// The machine words, in the order of the plan's `abi`.
    pub words: Vec<RecordedWord>,
    /// The memory that the words point to.
    pub buffers: Vec<RecordedBuffer>,
}

/// One machine word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedWord {
    /// The address of the buffer of that number.
    Buffer(u32),
    /// The null address.
    Null,
    /// A number, zero-extended.
    Bits(u64),
    /// A tensor map of the tensor that begins where a buffer does.
    Map {
        /// The buffer.
        buffer: u32,
        /// Sizes, strides and boxes.
        map: BoundMap,
    },
}

/// The memory of a tensor.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecordedBuffer {
    /// Its elements: a word of the language.
    pub dtype: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The file with its content before the launch; `None` for [`FILLING`].
    pub before: Option<String>,
    /// The file with what it must hold afterwards; `None` where that is not judged.
    pub after: Option<String>,
    /// Whether the content before stands for memory that nothing was written to.
    #[serde(default)]
    pub undefined: bool,
    /// How far a float may be from what is expected: `atol + rtol * |expected|`.
    pub rtol: f64,
    /// See `rtol`.
    pub atol: f64,
}

/// A recording with its list read and checked.
#[derive(Clone, Debug)]
pub struct Recording {
    folder: PathBuf,
    library: Library,
    launches: Vec<RecordedLaunch>,
}

impl Recording {
    /// Reads the recording in `folder`.
    pub fn open(folder: &Path) -> Result<Recording, LibraryError> {
        let library = Library::open(folder)?;
        let path = folder.join(FILE_NAME);
        let text = fs::read_to_string(&path)
            .map_err(|source| LibraryError::Read { path: path.clone(), source })?;
        let foreign = |why: String| LibraryError::Foreign { path: path.clone(), why };
        let index: Index = serde_json::from_str(&text).map_err(|it| foreign(it.to_string()))?;
        if (index.format.as_str(), index.version) != (FORMAT, VERSION) {
            let (format, version) = (&index.format, index.version);
            return Err(foreign(format!("it is `{format}` of version {version}")));
        }
        for (number, launch) in index.launches.iter().enumerate() {
            launch
                .check(library.manifest().kernels.len())
                .map_err(|why| foreign(format!("launch {number} {why}")))?;
        }
        Ok(Recording { folder: folder.to_owned(), library, launches: index.launches })
    }

    /// The kernels.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The launches in their order.
    pub fn launches(&self) -> &[RecordedLaunch] {
        &self.launches
    }

    /// The kernel of a launch.
    pub fn kernel(&self, launch: &RecordedLaunch) -> &KernelEntry {
        &self.library.manifest().kernels[launch.kernel as usize]
    }

    /// The tile IR of a launch's kernel.
    pub fn ir(&self, launch: &RecordedLaunch) -> Result<String, LibraryError> {
        let path = self.folder.join(&launch.ir);
        fs::read_to_string(&path).map_err(|source| LibraryError::Read { path, source })
    }

    /// What a buffer holds before its launch.
    pub fn before(&self, buffer: &RecordedBuffer) -> Result<Vec<u8>, LibraryError> {
        match &buffer.before {
            Some(file) => self.data(file, buffer.bytes),
            None => Ok(FILLING.iter().copied().cycle().take(buffer.bytes as usize).collect()),
        }
    }

    /// What a buffer must hold after its launch.
    pub fn after(&self, buffer: &RecordedBuffer) -> Result<Option<Vec<u8>>, LibraryError> {
        buffer.after.as_ref().map(|it| self.data(it, buffer.bytes)).transpose()
    }

    fn data(&self, file: &str, bytes: u64) -> Result<Vec<u8>, LibraryError> {
        let path = self.folder.join(file);
        let data =
            fs::read(&path).map_err(|source| LibraryError::Read { path: path.clone(), source })?;
        if data.len() as u64 != bytes {
            let why = format!("it has {} bytes where {bytes} were written", data.len());
            return Err(LibraryError::Changed { path, why });
        }
        Ok(data)
    }
}

impl RecordedLaunch {
    /// The rules R2 and R3, or how they are violated.
    fn check(&self, n_kernels: usize) -> Result<(), String> {
        if n_kernels <= self.kernel as usize {
            return Err(format!("names kernel {} of {n_kernels}", self.kernel));
        }
        let outside = |it: &RecordedWord| match *it {
            RecordedWord::Buffer(number) | RecordedWord::Map { buffer: number, .. } => {
                (self.buffers.len() <= number as usize).then_some(number)
            }
            RecordedWord::Null | RecordedWord::Bits(_) => None,
        };
        if let Some(number) = self.words.iter().find_map(outside) {
            return Err(format!("names buffer {number} of {}", self.buffers.len()));
        }
        let data = self.buffers.iter().flat_map(|it| it.before.iter().chain(&it.after));
        match data.chain([&self.ir]).find(|it| !stays_inside(it)) {
            Some(file) => Err(format!("names the file `{file}`, which would lie outside")),
            None => Ok(()),
        }
    }

    /// Whether it is there to be timed: nothing is expected of it.
    pub fn is_timed(&self) -> bool {
        self.buffers.iter().all(|it| it.after.is_none())
    }
}

impl Index {
    /// A list of these launches.
    pub fn new(launches: Vec<RecordedLaunch>) -> Index {
        Index { format: FORMAT.to_owned(), version: VERSION, launches }
    }

    /// Its text: JSON, the same bytes for the same content.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a list has string keys only");
        text.push('\n');
        text
    }
}

/// The name of the file for that content: equal contents share one.
pub fn data_file(content: &[u8]) -> String {
    format!("data/{}.bin", &sha256(content)[..32])
}

/// How what came out stands to what was expected.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Comparison {
    /// Elements that are not as expected.
    pub wrong: u64,
    /// All elements.
    pub elements: u64,
    /// The first wrong one: its number, what it is, what it should be.
    pub first: Option<(u64, String, String)>,
    /// The largest error of the elements that are right.
    pub error: f64,
}

impl RecordedBuffer {
    /// Compares what came out with what is expected. Floats of 16 bits and more are compared as
    /// numbers within the tolerance, a NaN equals a NaN; everything else bit by bit.
    pub fn compare(&self, got: &[u8], expected: &[u8]) -> Comparison {
        let width = float_bytes(&self.dtype);
        let mut found = Comparison::default();
        let pairs = got.chunks(width.unwrap_or(1)).zip(expected.chunks(width.unwrap_or(1)));
        for (number, (x_bytes, y_bytes)) in (0..).zip(pairs) {
            found.elements += 1;
            let (x, y) = (number_of(&self.dtype, x_bytes), number_of(&self.dtype, y_bytes));
            let error = (x - y).abs();
            let is_near = error <= self.atol + self.rtol * y.abs() && y.is_finite();
            if x_bytes == y_bytes || x == y || x.is_nan() && y.is_nan() && width.is_some() {
                continue;
            }
            if is_near && width.is_some() {
                found.error = found.error.max(error);
                continue;
            }
            found.wrong += 1;
            found.first.get_or_insert_with(|| (number, x.to_string(), y.to_string()));
        }
        found.wrong += (got.len().abs_diff(expected.len())) as u64;
        found
    }
}

/// Bytes of a float that is compared as a number.
fn float_bytes(dtype: &str) -> Option<usize> {
    match dtype {
        "f16" | "bf16" => Some(2),
        "f32" | "tf32" => Some(4),
        "f64" => Some(8),
        _ => None,
    }
}

/// The number that the bytes of an element stand for; of types that are compared bit by bit, the byte.
fn number_of(dtype: &str, bytes: &[u8]) -> f64 {
    match (dtype, bytes) {
        ("f16", &[a, b]) => half_number(u16::from_le_bytes([a, b])),
        ("bf16", &[a, b]) => f64::from(f32::from_le_bytes([0, 0, a, b])),
        ("f32" | "tf32", &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
        ("f64", &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::from(bytes[0]),
    }
}

/// An `f16`: a sign, five bits of exponent, ten of mantissa.
fn half_number(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + mantissa / 1024.0) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use tile_plan::LaunchPlan;

    use super::*;
    use crate::manifest::{self, Manifest, Resources};

    fn buffer(dtype: &str, bytes: u64) -> RecordedBuffer {
        RecordedBuffer {
            dtype: dtype.to_owned(),
            bytes,
            before: None,
            after: None,
            undefined: false,
            rtol: 1e-3,
            atol: 0.0,
        }
    }

    fn recorded(
        edit: impl FnOnce(&mut RecordedLaunch),
    ) -> (tempfile::TempDir, Result<Recording, String>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut manifest = Manifest::new("tilec 0.1.0");
        manifest.kernels.push(KernelEntry {
            name: "copy".to_owned(),
            target: "sm_90a".to_owned(),
            plan: LaunchPlan::default(),
            dynamic_shared_bytes: 0,
            resources: Resources::default(),
            objects: vec![],
        });
        let mut launch = RecordedLaunch {
            origin: "a.tile: copies".to_owned(),
            kernel: 0,
            ir: "sm_90a/copy.ir".to_owned(),
            grid: [1, 1, 1],
            words: vec![RecordedWord::Buffer(0), RecordedWord::Null, RecordedWord::Bits(7)],
            buffers: vec![buffer("f32", 8)],
        };
        edit(&mut launch);
        let write = |name: &str, text: String| {
            fs::write(folder.path().join(name), text).expect("a file in it");
        };
        write(manifest::FILE_NAME, manifest.to_json());
        write(FILE_NAME, Index::new(vec![launch]).to_json());
        write("four.bin", "1234".to_owned());
        let opened = Recording::open(folder.path()).map_err(|it| it.to_string());
        (folder, opened)
    }

    #[test]
    fn what_was_written_is_read() {
        let (_folder, opened) = recorded(|_| ());
        let recording = opened.expect("it opens");
        let [launch] = recording.launches() else { panic!("one launch") };
        assert_eq!((recording.kernel(launch).name.as_str(), launch.is_timed()), ("copy", true));
        let filling = recording.before(&launch.buffers[0]).expect("it needs no file");
        assert_eq!(filling, [0x80, 0x3f, 0x80, 0x3f, 0x80, 0x3f, 0x80, 0x3f]);
    }

    #[test]
    fn r2_and_r3_launches_name_what_is_there() {
        let refused = |edit: fn(&mut RecordedLaunch), why: &str| {
            let error = recorded(edit).1.expect_err("it is refused");
            assert!(error.contains(why), "{error}");
        };
        refused(|it| it.kernel = 1, "names kernel 1 of 1");
        refused(|it| it.words.push(RecordedWord::Buffer(1)), "names buffer 1 of 1");
        refused(|it| it.ir = "../x".to_owned(), "which would lie outside");
        let (_folder, opened) = recorded(|it| it.buffers[0].after = Some("four.bin".to_owned()));
        let recording = opened.expect("it opens");
        let error = recording.after(&recording.launches()[0].buffers[0]).expect_err("too short");
        assert!(error.to_string().contains("4 bytes where 8 were written"), "{error}");
    }

    #[test]
    fn floats_are_compared_as_numbers_and_the_rest_as_bits() {
        let bytes = |it: [f32; 3]| it.map(f32::to_le_bytes).concat();
        let near = buffer("f32", 12)
            .compare(&bytes([1.0005, f32::NAN, -0.0]), &bytes([1.0, f32::NAN, 0.0]));
        assert_eq!((near.wrong, near.elements), (0, 3));
        assert!(near.error > 4e-4);
        let far =
            buffer("f32", 12).compare(&bytes([1.0, 2.1, f32::INFINITY]), &bytes([1.0, 2.0, 9.0]));
        assert_eq!((far.wrong, far.first.expect("one").0), (2, 1));
        assert_eq!(buffer("f16", 2).compare(&[0, 0x3c], &[1, 0x3c]).wrong, 0);
        assert_eq!(buffer("i32", 2).compare(&[0, 0x3c], &[1, 0x3c]).wrong, 1);
        assert_eq!(buffer("f8e4m3", 1).compare(&[0x7f], &[0x7e]).wrong, 1);
        assert_eq!((half_number(0xc000), half_number(1)), (-2.0, 2f64.powi(-24)));
    }
}
