using System;
using System.IO;
using System.Text;

namespace Brink.Build
{
    /// <summary>Finds one symbol version that a 64-bit little-endian ELF library asks of other libraries (section .gnu.version_r).</summary>
    public static class SymbolVersionNeed
    {
        private const uint VersionNeedSection = 0x6ffffffe; // SHT_GNU_verneed
        public const ushort Weak = 0x2; // VER_FLG_WEAK: the loader warns nothing and goes on when the version is missing

        /// <summary>The byte offset of the need's flags, or -1 where the library is no such ELF file or does not ask for that version.</summary>
        public static long FindFlags(byte[] library, string version)
        {
            if (library.Length < 64 || library[0] != 0x7f || library[1] != 'E' || library[2] != 'L' || library[3] != 'F' || library[4] != 2 || library[5] != 1)
            {
                return -1;
            }

            // Elf64_Ehdr: e_shoff at 40, e_shentsize at 58, e_shnum at 60.
            var sections = BitConverter.ToInt64(library, 40);
            var sectionSize = BitConverter.ToUInt16(library, 58);
            var sectionCount = BitConverter.ToUInt16(library, 60);
            for (var section = 0; section < sectionCount; section++)
            {
                // Elf64_Shdr: sh_type at 4, sh_offset at 24, sh_link (its string table) at 40, sh_info (number of entries) at 44.
                var header = sections + ((long)section * sectionSize);
                if (BitConverter.ToUInt32(library, (int)header + 4) != VersionNeedSection)
                {
                    continue;
                }

                var strings = BitConverter.ToInt64(library, (int)(sections + ((long)BitConverter.ToUInt32(library, (int)header + 40) * sectionSize) + 24));
                var need = BitConverter.ToInt64(library, (int)header + 24);
                for (var left = BitConverter.ToUInt32(library, (int)header + 44); left > 0; left--)
                {
                    // Elf64_Verneed: vn_cnt at 2, vn_aux at 8, vn_next at 12.  Elf64_Vernaux: vna_flags at 4, vna_name at 8, vna_next at 12.
                    var auxiliary = need + BitConverter.ToUInt32(library, (int)need + 8);
                    for (var names = BitConverter.ToUInt16(library, (int)need + 2); names > 0; names--)
                    {
                        if (ReadName(library, strings + BitConverter.ToUInt32(library, (int)auxiliary + 8)) == version)
                        {
                            return auxiliary + 4;
                        }

                        auxiliary += BitConverter.ToUInt32(library, (int)auxiliary + 12);
                    }

                    need += BitConverter.ToUInt32(library, (int)need + 12);
                }
            }

            return -1;
        }

        private static string ReadName(byte[] library, long start)
        {
            var end = Array.IndexOf(library, (byte)0, (int)start);
            return Encoding.ASCII.GetString(library, (int)start, end - (int)start);
        }
    }

#if !BRINK_DOCTOR
    /// <summary>Copies a library and marks one symbol version it asks for as weak, so that it also loads where that version is missing.</summary>
    public class WeakenSymbolVersion : Microsoft.Build.Utilities.Task
    {
        [Microsoft.Build.Framework.Required]
        public string Library { get; set; }

        [Microsoft.Build.Framework.Required]
        public string Copy { get; set; }

        [Microsoft.Build.Framework.Required]
        public string Version { get; set; }

        public override bool Execute()
        {
            var library = File.ReadAllBytes(Library);
            var flags = SymbolVersionNeed.FindFlags(library, Version);
            if (flags >= 0)
            {
                library[flags] |= (byte)SymbolVersionNeed.Weak;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(Copy));
            // Written anew, never in place: the old copy may be the other end of a hard link.
            File.Delete(Copy);
            File.WriteAllBytes(Copy, library);
            return true;
        }
    }
#endif
}
